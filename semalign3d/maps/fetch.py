"""Networks fetched ahead, where there is a connection, so that later jobs need none."""

import hashlib
from pathlib import Path

from ..errors import InputError
from .hub import PretrainedModel


def fetch_hub_model(model: PretrainedModel) -> str:
    """Download a model of the hub into its cache unless it is there; returns what there is.

    Raises
    ------
    InputError : it cannot be had, or a local folder is incomplete.
    """
    return f"{model.what} {model.name}: {model.folder()}"


def fetch_sam(model_type: str, checkpoint: str | Path) -> str:
    """Download a published SAM checkpoint unless it is there, and check it either way.

    The published names end with the first digits of the file's SHA-256.

    Parameters
    ----------
    model_type : vit_h, vit_l or vit_b.
    checkpoint : where the file belongs.

    Raises
    ------
    InputError : no connection, or a file that is not the published one.
    """
    from .masks.sam_registry import PUBLISHED

    if model_type not in PUBLISHED:
        if Path(checkpoint).is_file():
            return f"SAM {model_type}: {checkpoint}, not a published one, so unchecked"
        raise InputError(f"SAM {model_type}: {checkpoint} does not exist and is not published")
    url = PUBLISHED[model_type]
    start = Path(url).stem.rpartition("_")[2]
    if not Path(checkpoint).is_file():
        _download(url, Path(checkpoint), start)
    with open(checkpoint, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(start):
        raise InputError(
            f"SAM checkpoint {checkpoint}: not the published {model_type}: its SHA-256 starts with "
            f"{found[: len(start)]}, expected {start}",
            hint=f"Delete it and fetch it again, or download {url} to that place.",
        )
    return f"SAM {model_type}: {checkpoint}, SHA-256 {found[:16]}..."


def _download(url: str, target: Path, start: str) -> None:
    """Download a file, checked while it comes; it appears under its name only when whole."""
    from torch.hub import download_url_to_file

    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        download_url_to_file(url, str(target), hash_prefix=start)
    except (OSError, RuntimeError) as error:  # no connection, or another hash
        raise InputError(
            f"SAM checkpoint {target}: cannot be fetched from {url} ({error})",
            hint=f"Download {url} elsewhere and put it there.",
        ) from error
