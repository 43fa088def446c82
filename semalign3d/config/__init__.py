"""The configuration as typed models, one file a section.

`python -m semalign3d.config` writes config/config.yaml and config/schema.json from them.
"""

from .configuration import Configuration
from .reading import read_configuration

__all__ = ["Configuration", "read_configuration"]
