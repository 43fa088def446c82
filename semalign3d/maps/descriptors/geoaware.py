"""Descriptor maps from the feature files of GeoAware-SC (METHOD.md 1.4)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ...files.arrays import times
from ...files.digest import file_digest
from . import INPUTS

if TYPE_CHECKING:
    import torch

RAW = "raw"
SMALLEST_LENGTH = 1e-12


def feature_files(folder: str | Path, stem: str) -> tuple[Path, Path, Path, Path]:
    """The four files of an image: dino, sd, and both of the mirrored image."""
    dino, sd, dino_flip, sd_flip = (
        Path(folder) / f"{stem}_{kind}{end}.pt" for end in ("", "_flip") for kind in ("dino", "sd")
    )
    return dino, sd, dino_flip, sd_flip


def read_features(folder: str | Path, stem: str, *, mirrored: bool) -> dict[str, "torch.Tensor"]:
    """Read and validate the features of an image, or of its mirror image.

    Parameters
    ----------
    folder : the category's folder of feature files.
    stem : the image's.
    mirrored : read the mirrored image's.

    Returns
    -------
    s3, s4, s5 and dino, each (1, C, h, w) float32 on the CPU; dino is square.

    Raises
    ------
    InputError : lists what is missing, refused (code in a file), of wrong shape or not finite.
    """
    features: dict[str, torch.Tensor] = {}
    problems: list[str] = []
    files = feature_files(folder, stem)
    for path in files[2:] if mirrored else files[:2]:
        try:
            features |= read_feature_file(path)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return features


def read_feature_file(path: str | Path) -> dict[str, "torch.Tensor"]:
    """Read and validate one feature file: dino, or s3, s4 and s5; see `read_features`."""
    from ...files.tensors import load_tensors

    values = load_tensors(path)
    is_dino = Path(path).stem.removesuffix("_flip").endswith("_dino")
    if is_dino:
        values = {"dino": values}
    names = ("dino",) if is_dino else INPUTS[:3]
    if not isinstance(values, Mapping):
        found = type(values).__name__
        raise InputError(f"{path}: expected a dict of tensors s3, s4, s5, found {found}")
    problems = {name: _problem(values.get(name), square=is_dino) for name in names}
    listed = [f"{path}: {name}: {problem}" for name, problem in problems.items() if problem]
    if listed:
        raise InputError(listed)
    return {name: values[name].detach().float().contiguous() for name in names}


def _problem(value: object, *, square: bool) -> str | None:
    """What is wrong with a feature tensor, None if nothing."""
    import torch

    expected = "1 x C x G x G" if square else "1 x C x h x w"
    if value is None:
        return "missing"
    if not isinstance(value, torch.Tensor):
        return f"expected a tensor, found {type(value).__name__}"
    if not value.is_floating_point() or value.layout != torch.strided or value.is_quantized:
        return f"expected a dense tensor of floats, found {value.dtype}, {value.layout}"
    shape = tuple(value.shape)
    if len(shape) != 4 or shape[0] != 1 or 0 in shape or (square and shape[2] != shape[3]):
        return f"expected shape {expected}, found {times(shape)}"
    lowest, highest = torch.aminmax(value.float())  # both are NaN if one value is
    if not (lowest.isfinite() and highest.isfinite()):
        bad = int((~value.isfinite()).sum())
        return f"{bad} of {value.numel()} values are not finite (NaN or infinite)"
    return None


def identity(checkpoint: str | Path | None) -> str:
    """What makes descriptors, for stamps: the checkpoint's digest, or `raw` without one."""
    if checkpoint is None:
        return RAW
    if not Path(checkpoint).is_file():
        raise InputError(
            f"post-processor checkpoint {checkpoint}: no such file",
            hint="It is best_856.PTH of https://github.com/Junyi42/GeoAware-SC; give its path in "
            "descriptors.checkpoint, or 'raw' to do without.",
        )
    return file_digest(checkpoint)


def unit_cells(maps: "torch.Tensor", name: str) -> np.ndarray:
    """Maps (n, C, G, G) with each cell L2-normalised, as (n, G, G, C) float32 on the CPU.

    Raises
    ------
    InputError : a length is not finite; `name` is what the error calls the maps.
    """
    import torch

    cells = maps.permute(0, 2, 3, 1).contiguous()
    lengths = torch.linalg.vector_norm(cells, dim=3, keepdim=True)
    if not torch.isfinite(lengths).all():
        raise InputError(f"{name}: the values are too large, descriptors are not finite")
    return np.asarray(cells.div_(lengths.clamp(min=SMALLEST_LENGTH)).cpu().numpy())


class DescriptorEncoder:
    """Features to one L2-normalised descriptor per grid cell.

    Parameters
    ----------
    checkpoint : post-processor network; None: dino and s4 side by side, without a network.
    device : where the network runs.

    Raises
    ------
    InputError : the checkpoint cannot be used.
    """

    def __init__(self, checkpoint: str | Path | None, device: "torch.device") -> None:
        from .post_processor import load_post_processor

        self.device = device
        self.network = None if checkpoint is None else load_post_processor(checkpoint).to(device)

    def encode(self, features: Mapping[str, "torch.Tensor"], name: str = "features") -> np.ndarray:
        """Map features, as `read_features` gives them, to (G, G, C) float32.

        Parameters
        ----------
        features : s3, s4, s5 and dino.
        name : what errors call them.

        Raises
        ------
        InputError : channels that the checkpoint does not expect, or a result that is not finite.
        """
        import torch

        self._check_channels(features, name)
        with torch.inference_mode():
            inputs = {name: features[name].to(self.device) for name in INPUTS}
            descriptors = _raw(inputs) if self.network is None else self.network(inputs)
            return unit_cells(descriptors, name)[0]

    def _check_channels(self, features: Mapping[str, "torch.Tensor"], name: str) -> None:
        found = {name: features[name].shape[1] for name in INPUTS}
        if self.network is not None and found != self.network.channels:
            raise InputError(
                f"{name}: channels are {found}, the post-processor checkpoint expects "
                f"{self.network.channels}",
                hint="Use the checkpoint that was trained on features of this kind.",
            )


def as_stored(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Descriptor maps (G, G, C) of an image's views as one (views, G, G, C) float16.

    torch rounds as NumPy does, in a quarter of its time.
    """
    import torch

    return torch.stack([torch.from_numpy(of_view).half() for of_view in maps]).numpy()


def _raw(inputs: Mapping[str, "torch.Tensor"]) -> "torch.Tensor":
    """0.5 * s4 and 0.5 * dino, each normalised per cell, along the channels: (1, C, G, G)."""
    import torch
    from torch.nn import functional

    dino = inputs["dino"]
    s4 = functional.interpolate(inputs["s4"], dino.shape[-2:], mode="bilinear", align_corners=False)
    parts = [0.5 * functional.normalize(part, dim=1) for part in (s4, dino)]
    return torch.cat(parts, dim=1)
