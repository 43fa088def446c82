"""The post-processor network of GeoAware-SC: four feature maps to one (METHOD.md 1.4)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import InputError
from ...files.tensors import load_state_dict
from . import winograd
from .moments import resized_moments

INPUTS = ("s3", "s4", "s5", "dino")
GROUPS = 32
CACHED_CELLS = 120
"""Few enough for a sum over all channels to stay in a core's cache between its steps."""


class _NormedConv(nn.Module):
    """A 1x1 convolution without bias, and the group normalisation of its output.

    Outputs lie channels last in memory, which suits the resize and the cells' normalisation.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.norm = nn.GroupNorm(GROUPS, outputs)

    def convolve(self, features: Tensor) -> Tensor:
        """(n, C_in, h, w) of any memory layout to (n, C_out, h, w).

        A 1x1 convolution is one matrix product, which reads either layout as it is.
        """
        cells = features.flatten(2).transpose(1, 2) @ self.weight.flatten(1).T
        return cells.unflatten(1, features.shape[2:]).permute(0, 3, 1, 2)

    def coefficients(
        self, features: Tensor, size: Sequence[int], factor: Tensor | float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """What group normalisation of the resized features comes to, times a factor.

        A scale and a shift (n, C, 1, 1), which may share their pass with what follows. As a
        bilinear resize's weights sum to one, they may also go before it, over fewer cells.
        """
        means, variances = resized_moments(features, size)
        by_group = means.unflatten(1, (GROUPS, -1))
        centre = by_group.mean(2, keepdim=True)
        spread = variances.unflatten(1, (GROUPS, -1)).mean(2, keepdim=True)
        spread = spread + (by_group - centre).square_().mean(2, keepdim=True)
        weight, bias = (part.view(GROUPS, -1) for part in (self.norm.weight, self.norm.bias))
        scale = factor * weight * (spread + self.norm.eps).rsqrt_()
        shift = factor * bias - centre * scale
        return scale.flatten(1)[..., None, None], shift.flatten(1)[..., None, None]

    def forward(self, features: Tensor, size: Sequence[int]) -> Tensor:
        """The convolution, resized to `size` and normalised.

        A 1x1 convolution without bias and a bilinear resize commute, as the resize's weights
        sum over positions and the convolution's over channels: convolving first is the same, and
        much cheaper on small maps.
        """
        outputs = self.convolve(features)
        scale, shift = self.coefficients(outputs, size)
        return _resize(torch.addcmul(shift, outputs, scale, out=outputs), size)


class _NormedConv3x3(_NormedConv):
    """The same with a 3x3 kernel; on the CPU by Winograd's algorithm, elsewhere as torch has it."""

    kernels: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, kernel=3)
        self.register_buffer("kernels", torch.empty(0), persistent=False)
        self.register_load_state_dict_post_hook(_transform_kernels)

    def convolve(self, features: Tensor) -> Tensor:
        if features.device.type == "cpu":
            return winograd.convolve(features, self.kernels)
        return functional.conv2d(features, self.weight, padding=1)


def _transform_kernels(convolution: _NormedConv3x3, _: object) -> None:
    convolution.kernels = winograd.transform(convolution.weight)


class _Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution beside a shortcut, on a map resized to `size`."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = _NormedConv(inputs, hidden)
        self.conv2 = _NormedConv3x3(hidden, hidden)
        self.conv3 = _NormedConv(hidden, outputs)
        self.shortcut = _NormedConv(inputs, outputs) if inputs != outputs else None

    def forward(
        self, features: Tensor, size: Sequence[int], factor: Tensor, total: Tensor | None
    ) -> Tensor:
        """(n, C_in, h, w) to (n, P, *size), times a factor > 0, added to a total in place.

        The factor passes through the ReLU.
        """
        hidden = self.conv1(features, size).relu_()
        hidden = self.conv2(hidden, size).relu_()
        hidden = self.conv3.convolve(hidden)
        scale, shift = self.conv3.coefficients(hidden, size, factor)
        if self.shortcut is None:
            aside, scale_aside = features.clone(memory_format=torch.channels_last), factor
        else:
            aside = self.shortcut.convolve(features)
            scale_aside, shift_aside = self.shortcut.coefficients(aside, size, factor)
            shift = shift + shift_aside
        aside = _resize(torch.addcmul(shift, aside, scale_aside, out=aside), size)
        if total is None:
            return aside.addcmul_(hidden, scale).relu_()
        rows = -(-CACHED_CELLS // size[1])
        parts = (part.split(rows, dim=2) for part in (total, aside, hidden))
        for of_total, of_aside, of_hidden in zip(*parts, strict=True):
            of_total.add_(of_aside.addcmul_(of_hidden, scale).relu_())
        return total


def _resize(features: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear resize of (n, C, h, w), `align_corners=False`; fast where channels lie last."""
    if features.shape[-2:] == tuple(size):
        return features
    return functional.interpolate(features, size, mode="bilinear", align_corners=False)


class PostProcessor(nn.Module):
    """One bottleneck block per input; the outputs are added with softmax weights.

    For inference: weights come in through `load_state_dict`, which prepares them; a later change
    in place would not be seen.

    Parameters
    ----------
    channels : channels of each input, in the order of `inputs`.
    hidden, outputs : P / 4 and P, both multiples of 32.
    inputs : names of the inputs, `dino` last.
    """

    def __init__(
        self,
        channels: Sequence[int],
        hidden: int,
        outputs: int,
        inputs: Sequence[str] = INPUTS,
    ) -> None:
        super().__init__()
        self.channels = dict(zip(inputs, channels, strict=True))
        self.outputs = outputs
        self.bottleneck_layers = nn.ModuleList(
            nn.ModuleList([_Bottleneck(count, hidden, outputs)]) for count in channels
        )
        self.mixing_weights = nn.Parameter(torch.ones(len(inputs)))

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Map features to (n, P, G, G), G being the size of `dino`, before normalisation.

        Parameters
        ----------
        features : for each of its inputs a tensor (n, C, h, w), float32.
        """
        size = features["dino"].shape[-2:]
        weights = functional.softmax(self.mixing_weights, dim=0)
        total: Tensor | None = None
        for name, weight, layer in zip(self.channels, weights, self.bottleneck_layers, strict=True):
            total = layer[0](features[name], size, weight, total)  # type: ignore[index]
        return cast(Tensor, total)


def _expected_keys(state: Mapping[str, Tensor], count: int) -> list[str]:
    """The keys that inference needs of `count` blocks, with a shortcut where sizes differ."""
    keys = ["mixing_weights"]
    for i in range(count):
        block = f"bottleneck_layers.{i}.0"
        names = ["conv1", "conv2", "conv3"]
        first, last = (state.get(f"{block}.{conv}.weight") for conv in ("conv1", "conv3"))
        if f"{block}.shortcut.weight" in state or (
            first is not None and last is not None and first.shape[1] != last.shape[0]
        ):
            names.append("shortcut")
        for name in names:
            keys += [f"{block}.{name}.{part}" for part in ("weight", "norm.weight", "norm.bias")]
    return keys


def _is_kernel(key: str) -> bool:
    return key.startswith("bottleneck_layers.") and key.endswith(".weight") and "norm" not in key


def load_post_processor(checkpoint: str | Path, inputs: Sequence[str] = INPUTS) -> PostProcessor:
    """Build the network from a checkpoint, every size taken from its state dict.

    Keys that play no part at inference are ignored.

    Parameters
    ----------
    checkpoint : a plain state dict.
    inputs : the inputs that it was trained on, `dino` last.

    Raises
    ------
    InputError : not a plain state dict, missing keys (lists them), or sizes that do not fit.
    """
    state = load_state_dict(checkpoint)
    flat = [key for key, value in state.items() if _is_kernel(key) and value.ndim != 4]
    if flat:
        raise InputError(f"{checkpoint}: sizes do not fit, not four axes: {', '.join(flat)}")
    keys = _expected_keys(state, len(inputs))
    missing = [key for key in keys if key not in state]
    if missing:
        raise InputError(
            f"{checkpoint}: not a post-processor checkpoint, it lacks {', '.join(missing)}",
            hint="Expected GeoAware-SC's best_856.PTH or a network with the same keys.",
        )
    mixed = state["mixing_weights"].numel()
    if mixed != len(inputs):
        raise InputError(
            f"{checkpoint}: sizes do not fit, a post-processor of {mixed} inputs, expected "
            f"{len(inputs)}: " + ", ".join(inputs)
        )
    first = [state[f"bottleneck_layers.{i}.0.conv1.weight"] for i in range(len(inputs))]
    channels = [weight.shape[1] for weight in first]
    outputs = state["bottleneck_layers.0.0.conv3.weight"].shape[0]
    try:
        network = PostProcessor(channels, first[0].shape[0], outputs, inputs)
        network.load_state_dict({key: state[key].float() for key in keys})
    except (RuntimeError, ValueError, IndexError) as error:
        raise InputError(f"{checkpoint}: sizes do not fit each other ({error})") from error
    return network.eval().requires_grad_(False)
