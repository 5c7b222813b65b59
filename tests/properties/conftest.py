"""What stands beside the tests of properties can be imported by them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode lets tests import nothing that is beside them
