"""`python -m semalign3d.cli`, the same as `semalign3d`."""

import sys

from . import main

sys.exit(main())
