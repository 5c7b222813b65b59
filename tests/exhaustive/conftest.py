"""The batteries of the properties can be imported here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "properties"))
