"""Feature files as they were when last seen, so that a deleted one is remembered."""

import json
import os
from pathlib import Path

from ...maps.descriptors.files import is_hdf5


def seen_features(root: str, category: str) -> dict[str, str]:
    """{file: size and time} of a category's feature files, of this run and of earlier ones.

    Kept in results/descriptors/<category>/.features.json. A process of a job finds there what the
    main process wrote.
    """
    record = Path(f"results/descriptors/{category}/.features.json")
    before = json.loads(record.read_text()) if record.exists() else {}
    place = Path(root) if is_hdf5(root) else Path(root) / category
    files = [place] if place.is_file() else place.iterdir() if place.is_dir() else []
    status = {str(path): path.stat() for path in files}
    now = {path: f"{s.st_size} {s.st_mtime_ns}" for path, s in status.items()}
    seen = {**before, **now}
    if seen != before:
        record.parent.mkdir(parents=True, exist_ok=True)
        partial = record.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps(seen, sort_keys=True, indent=0))
        os.replace(partial, record)
    return seen
