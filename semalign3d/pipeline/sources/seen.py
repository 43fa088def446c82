"""Feature files as they were when last seen, so that a deleted one is remembered."""

import json
from pathlib import Path

from ...files.system import write_whole
from ...maps.descriptors.files import is_hdf5


def seen_features(root: str, category: str, remember: bool) -> dict[str, str]:
    """{file: size and time} of a category's feature files, of this run and of earlier ones.

    Kept in results/descriptors/<category>/.features.json. A process of a job finds there what the
    main process wrote. Without `remember` nothing is written.
    """
    record = Path(f"results/descriptors/{category}/.features.json")
    before = json.loads(record.read_text()) if record.exists() else {}
    place = Path(root) if is_hdf5(root) else Path(root) / category
    files = [place] if place.is_file() else place.iterdir() if place.is_dir() else []
    status = {str(path): path.stat() for path in files}
    now = {path: f"{s.st_size} {s.st_mtime_ns}" for path, s in status.items()}
    seen = {**before, **now}
    if remember and seen != before:
        write_whole(record, json.dumps(seen, sort_keys=True, indent=0).encode())
    return seen
