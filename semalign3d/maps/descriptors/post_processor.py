"""The post-processor network of GeoAware-SC: four feature maps to one (METHOD.md 1.4)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import InputError
from ...files.tensors import load_state_dict, load_weights
from . import INPUTS

GROUPS = 32
PREFIXES = ("bottleneck_layers.", "mixing_weights")
"""Of the keys that inference needs."""
HINT = "Expected GeoAware-SC's best_856.PTH or a network with the same keys."


def _resize(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear resize of (n, C, h, w) to (n, C, *size)."""
    if maps.shape[-2:] == tuple(size):
        return maps
    return functional.interpolate(maps, size, mode="bilinear", align_corners=False)


class _NormedConv(nn.Conv2d):
    """A convolution without bias, and the group normalisation of its output."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.GroupNorm(GROUPS, outputs)

    def normed(self, features: Tensor, size: Sequence[int]) -> Tensor:
        """The features (n, C_in, h, w) convolved, resized and normalised: (n, C_out, *size).

        A 1x1 convolution without bias commutes with a bilinear resize, since one sums over channels
        and the other over positions. So small maps are convolved before they grow.
        """
        maps: Tensor = self.norm(_resize(self(features), size))
        return maps


class _Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution beside a shortcut."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = _NormedConv(inputs, hidden)
        self.conv2 = _NormedConv(hidden, hidden, kernel=3)
        self.conv3 = _NormedConv(hidden, outputs)
        self.shortcut = _NormedConv(inputs, outputs) if inputs != outputs else None

    def forward(self, features: Tensor, size: Sequence[int]) -> Tensor:
        """(n, C_in, h, w) to (n, P, *size)."""
        hidden = self.conv1.normed(features, size).relu_()
        hidden = self.conv2.normed(hidden, size).relu_()
        hidden = self.conv3.normed(hidden, size)
        if self.shortcut is None:
            return hidden.add_(_resize(features, size)).relu_()
        return hidden.add_(self.shortcut.normed(features, size)).relu_()


class PostProcessor(nn.Module):
    """One bottleneck block per input; the outputs are added with softmax weights.

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
        total = torch.zeros((), device=weights.device)
        for name, weight, layer in zip(self.channels, weights, self.bottleneck_layers, strict=True):
            # On the CPU, resizing is over 20 times as fast where channels lie last in memory.
            maps = features[name].contiguous(memory_format=torch.channels_last)
            total = torch.addcmul(total, weight, layer[0](maps, size))  # type: ignore[index]
        return total


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
    state = {key: value for key, value in state.items() if key.startswith(PREFIXES)}
    try:
        network = _built_for(state, inputs)
    except KeyError as error:
        raise InputError(
            f"{checkpoint}: not a post-processor checkpoint, it lacks {error.args[0]}", hint=HINT
        ) from error
    except ValueError as error:
        raise InputError(f"{checkpoint}: sizes do not fit: {error}") from error
    load_weights(network, state, f"{checkpoint}: not the weights of a post-processor", HINT)
    return network.to(memory_format=torch.channels_last)


def _built_for(state: Mapping[str, Tensor], inputs: Sequence[str]) -> PostProcessor:
    """The network of a state dict's sizes, without values.

    Raises
    ------
    KeyError : the first key that is missing.
    ValueError : sizes that do not fit, or another number of inputs.
    """
    blocks = {key.split(".")[1] for key in state if key.startswith(PREFIXES[0])}
    if blocks and len(blocks) != len(inputs):
        expected = f"{len(inputs)}: {', '.join(inputs)}"
        raise ValueError(f"a post-processor of {len(blocks)} inputs, expected {expected}")
    names = [f"bottleneck_layers.{i}.0.conv1.weight" for i in range(len(inputs))]
    names.append("bottleneck_layers.0.0.conv3.weight")
    flat = [name for name in names if state[name].ndim != 4]
    if flat:
        raise ValueError(f"not four axes: {', '.join(flat)}")
    *channels, hidden = (state[name].shape[1] for name in names)
    with torch.device("meta"):
        return PostProcessor(channels, hidden, state[names[-1]].shape[0], inputs)
