"""Is everything there and sound? What a category's inputs must be before anything is computed.

Findings have three levels: an error stops all later stages, a warning says that the result may
suffer, a note is good to know.
"""

from .category import check_category
from .report import CheckReport, Finding

__all__ = ["CheckReport", "Finding", "check_category"]
