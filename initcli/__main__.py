"""`python -m initcli`."""

import sys

from initcli.cli import main

if __name__ == "__main__":
    sys.exit(main())
