"""`python -m semalign3d.config`: config/config.yaml and config/schema.json from the models."""

from pathlib import Path

from .generated import write

for path in write(Path("config")):
    print(f"wrote {path}")
