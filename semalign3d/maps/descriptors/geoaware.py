"""Descriptor maps from the feature files of GeoAware-SC (METHOD.md 1.4)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ...files.digest import file_digest

if TYPE_CHECKING:
    import torch

INPUTS = ("s3", "s4", "s5", "dino")
RAW = "raw"
SMALLEST_LENGTH = 1e-12


def feature_files(folder: str | Path, stem: str) -> tuple[Path, Path, Path, Path]:
    """The four files of an image: dino, sd, and both of the mirrored image."""
    return (*_files(folder, stem, mirrored=False), *_files(folder, stem, mirrored=True))


def _files(folder: str | Path, stem: str, *, mirrored: bool) -> tuple[Path, Path]:
    end = "_flip.pt" if mirrored else ".pt"
    return Path(folder) / f"{stem}_dino{end}", Path(folder) / f"{stem}_sd{end}"


def read_features(
    folder: str | Path, stem: str, *, mirrored: bool, finite: bool = True
) -> dict[str, "torch.Tensor"]:
    """Read and validate the features of an image, or of its mirror image.

    Parameters
    ----------
    folder : the category's folder of feature files.
    stem : the image's.
    mirrored : read the mirrored image's.
    finite : also look at all values, see `read_feature_file`.

    Returns
    -------
    s3, s4, s5 and dino, each (1, C, h, w) float32 on the CPU; dino is square.

    Raises
    ------
    InputError : lists what is missing, refused (code in a file), of wrong shape or not finite.
    """
    features: dict[str, torch.Tensor] = {}
    problems: list[str] = []
    for path in _files(folder, stem, mirrored=mirrored):
        try:
            features |= read_feature_file(path, finite=finite)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return features


def read_feature_file(path: str | Path, *, finite: bool = True) -> dict[str, "torch.Tensor"]:
    """Read and validate one feature file: dino, or s3, s4 and s5; see `read_features`.

    Parameters
    ----------
    path : the file.
    finite : also look at all values, which takes as long as reading them.
    """
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
    if finite:
        problems |= {name: _bad_values(values[name]) for name in names if problems[name] is None}
    listed = [f"{path}: {name}: {problem}" for name, problem in problems.items() if problem]
    if listed:
        raise InputError(listed)
    return {name: values[name].detach().float().contiguous() for name in names}


def _problem(value: object, *, square: bool) -> str | None:
    """What is wrong with a feature tensor, its values apart; None if nothing."""
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
        return f"expected shape {expected}, found {' x '.join(map(str, shape)) or 'a scalar'}"
    return None


def _bad_values(features: "torch.Tensor") -> str | None:
    """How many values are not finite, None if all are."""
    import torch

    if torch.stack(torch.aminmax(features.float())).isfinite().all():  # both are NaN if one is
        return None
    bad = int((~torch.isfinite(features)).sum())
    return f"{bad} of {features.numel()} values are not finite (NaN or infinite)"


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

    Attributes
    ----------
    identity : see the function `identity`.
    channels : {input: channels} that the checkpoint expects; None without one.
    """

    def __init__(self, checkpoint: str | Path | None, device: "torch.device") -> None:
        from .post_processor import load_post_processor

        self.identity = identity(checkpoint)
        self.device = device
        self.network = None if checkpoint is None else load_post_processor(checkpoint).to(device)
        self.channels = None if self.network is None else self.network.channels

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
        if self.channels is None:
            return
        found = {name: features[name].shape[1] for name in INPUTS}
        if found != self.channels:
            raise InputError(
                f"{name}: channels are {found}, the post-processor checkpoint expects "
                f"{self.channels}",
                hint="Use the checkpoint that was trained on features of this kind.",
            )


def as_stored(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Descriptor maps (G, G, C) of an image's views as one (views, G, G, C) float16.

    Rounded by torch, which gives NumPy's numbers in a tenth of its time.
    """
    import torch

    stored = torch.empty(len(maps), *maps[0].shape, dtype=torch.float16)
    for into, of_view in zip(stored, maps, strict=True):
        into.copy_(torch.from_numpy(of_view))
    return stored.numpy()


def _raw(inputs: Mapping[str, "torch.Tensor"]) -> "torch.Tensor":
    """0.5 * s4 and 0.5 * dino, each normalised per cell, along the channels: (1, C, G, G)."""
    import torch
    from torch.nn import functional

    dino = inputs["dino"]
    s4 = functional.interpolate(inputs["s4"], dino.shape[-2:], mode="bilinear", align_corners=False)
    parts = [0.5 * functional.normalize(part, dim=1) for part in (s4, dino)]
    return torch.cat(parts, dim=1)
