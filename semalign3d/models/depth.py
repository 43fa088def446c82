"""Relative inverse depth: Depth Anything, or the user's files (METHOD.md 3)."""

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..digest import file_digest, values_digest
from ..errors import InputError
from .array_files import load_array

if TYPE_CHECKING:
    import torch

CONFIGS = ("config.json", "preprocessor_config.json")
WEIGHTS = "*.safetensors"
HINT = (
    "Without a connection to the hub, download the model elsewhere and give the local folder that "
    f"holds {', '.join(CONFIGS)} and model.safetensors in depth.model."
)
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def identity(model: str) -> str:
    """What makes depth maps, for stamps, without loading the network.

    Of a local folder: a digest of weights and settings. Of a model of the hub: its id and commit;
    a model that is not there yet is downloaded, one that is stays as it is.

    Raises
    ------
    InputError : no such folder, an incomplete one, or the hub cannot be reached.
    """
    folder = _folder(model)
    if not Path(model).is_dir():
        return f"{model}@{folder.name}"
    files = [*(folder / name for name in CONFIGS), *sorted(folder.glob(WEIGHTS))]
    return values_digest(**{path.name: file_digest(path) for path in files})


def _folder(model: str) -> Path:
    """The folder with the model's files; a model of the hub is downloaded once."""
    if Path(model).is_dir():
        return _complete(Path(model))
    if not _HUB_ID.fullmatch(model):
        raise InputError(f"depth model {model!r}: no such folder, and not a model id of the hub")
    return _complete(_downloaded(model))


def _complete(folder: Path) -> Path:
    missing = [name for name in CONFIGS if not (folder / name).is_file()]
    if not any(folder.glob(WEIGHTS)):
        missing.append("model.safetensors")
    if missing:
        raise InputError(f"depth model {folder}: the folder lacks {', '.join(missing)}", hint=HINT)
    return folder


@functools.cache
def _downloaded(model: str) -> Path:
    """The hub's cached snapshot of a model, downloaded where there is none yet."""
    from huggingface_hub import snapshot_download

    patterns = [*CONFIGS, WEIGHTS, "*.safetensors.index.json"]
    try:
        folder = Path(snapshot_download(model, allow_patterns=patterns, local_files_only=True))
        if any(folder.glob(WEIGHTS)):
            return folder
    except OSError:
        pass  # not in the cache
    try:
        return Path(snapshot_download(model, allow_patterns=patterns))
    except Exception as error:  # connection, name, access: many types, one remedy
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"depth model {model!r}: neither a local folder nor to be had from the hub "
            f"({reason[0]})",
            hint=HINT,
        ) from error


class DepthAnything:
    """A depth network of `transformers` that gives relative inverse depth.

    Parameters
    ----------
    model : local folder, or a model id of the hub.
    device : where it runs, in float32.

    Attributes
    ----------
    identity : see the function `identity`.

    Raises
    ------
    InputError : no such model, an incomplete folder, or files that do not fit each other.
    """

    def __init__(self, model: str, device: "torch.device") -> None:
        self.identity = identity(model)
        self.device = device
        self.processor, self.network = _load(_folder(model))
        self.network.to(device)

    def predict(self, image: np.ndarray, name: str = "image") -> np.ndarray:
        """Relative inverse depth, larger is nearer, not negative: (H, W) float32.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB.
        name : what errors call it.

        Raises
        ------
        InputError : the network's result is not finite or the same everywhere.
        """
        import torch

        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"image: expected (H, W, 3) uint8, found {image.shape} {image.dtype}")
        inputs = self.processor(images=Image.fromarray(image), return_tensors="pt")
        with torch.inference_mode():
            depth = self.network(pixel_values=inputs["pixel_values"].to(self.device))
            depth = torch.nn.functional.interpolate(
                depth.predicted_depth.float().cpu()[:, None],
                size=image.shape[:2],
                mode="bicubic",
                align_corners=False,
            )
        inverse_depth = depth[0, 0].clamp(min=0).numpy()
        problem = _problem(inverse_depth)
        if problem:
            raise InputError(f"{name}: the depth network's result is unusable: {problem}")
        return inverse_depth


def _load(folder: Path) -> tuple[Any, Any]:
    """Image processor and network, from local files, never from pickles or code."""
    import torch
    from transformers import AutoImageProcessor, AutoModelForDepthEstimation

    try:
        processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        network, report = AutoModelForDepthEstimation.from_pretrained(
            folder,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:  # transformers raises many types on damaged folders
        raise InputError(f"depth model {folder}: cannot be loaded ({error})") from error
    missing = sorted(report["missing_keys"])
    if missing:
        raise InputError(f"depth model {folder}: the weights lack {', '.join(missing[:5])}")
    return processor, network.eval().requires_grad_(False)


def _problem(inverse_depth: np.ndarray) -> str | None:
    """What makes an inverse depth map unusable, None if nothing."""
    finite = np.isfinite(inverse_depth)
    if not finite.all():
        return f"{(~finite).sum()} of {finite.size} values are not finite (NaN or infinite)"
    if inverse_depth.max() == inverse_depth.min():
        return f"it is the same everywhere ({inverse_depth.flat[0]:g})"
    if inverse_depth.max() <= 0:
        return f"no value is above 0 (the largest is {inverse_depth.max():g})"
    return None


def depth_file(root: str | Path, category: str, stem: str) -> Path:
    """The user's depth file of an image."""
    return Path(root) / category / f"{stem}_depth.npy"


def read_depth_file(
    root: str | Path, category: str, stem: str, size: tuple[int, int]
) -> np.ndarray:
    """Read `<root>/<category>/<stem>_depth.npy`: relative inverse depth, larger is nearer.

    Parameters
    ----------
    size : (W, H) of the image, pixels.

    Returns
    -------
    (H, W) float32.

    Raises
    ------
    InputError : missing, damaged, of another size, not finite, or the same everywhere.
    """
    path = depth_file(root, category, stem)
    values = load_array(path, "a file of relative inverse depth")
    if values.dtype.kind not in "uif" or values.shape != (size[1], size[0]):
        raise InputError(
            f"{path}: expected numbers, {size[1]} x {size[0]} (height x width of the image), "
            f"found {values.dtype} {' x '.join(map(str, values.shape))}"
        )
    with np.errstate(over="ignore"):
        inverse_depth = values.astype(np.float32)
    problem = _problem(inverse_depth)
    if problem:
        raise InputError(f"{path}: unusable: {problem}")
    return inverse_depth
