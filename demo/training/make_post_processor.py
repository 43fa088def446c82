"""Make the demo's post-processor network, ``post_processor.pth`` (METHOD.md section 1.4).

The demo's features already tell places apart, so nothing is learnt here: random projections that
keep what the features hold are enough. The network has the published one's parts and key names at a
smaller size, and is the same on every run.

    python -m demo.training.make_post_processor
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from demo.features import CHANNELS
from demo.files import write_state_dict
from semalign3d.seeds import generator

WIDTH = 128
"""Length of a descriptor; a quarter of it, the bottleneck, must be a multiple of 32 groups."""
INPUTS = ("s3", "s4", "s5", "dino")
"""Order of the inputs, as the network takes them."""
MIXING = {"s3": 1.0, "s4": 1.0, "s5": 0.6, "dino": 1.4}
"""Relative weights of the four outputs."""


def _convolution(rng: np.random.Generator, outputs: int, inputs: int, kernel: int) -> torch.Tensor:
    """Random weights (outputs, inputs, kernel, kernel); a 3 x 3 kernel is peaked at its centre."""
    scale = rng.normal(0.0, np.sqrt(1.0 / inputs), size=(outputs, inputs, 1, 1))
    profile = np.array([0.25, 1.0, 0.25]) if kernel == 3 else np.ones(1)
    window = np.outer(profile, profile)
    return torch.from_numpy((scale * window / np.linalg.norm(window)).astype(np.float32))


def _norm(state: dict[str, torch.Tensor], name: str, channels: int, scale: float) -> None:
    """A group norm's weights: one scale for all channels, no shift."""
    state[f"{name}.norm.weight"] = torch.full((channels,), scale)
    state[f"{name}.norm.bias"] = torch.zeros(channels)


def make_state() -> dict[str, torch.Tensor]:
    """The network's state dict."""
    rng = generator(0, "demo-post-processor")
    narrow = WIDTH // 4
    state: dict[str, torch.Tensor] = {}
    for index, name in enumerate(INPUTS):
        block = f"bottleneck_layers.{index}.0"
        layers = (
            ("shortcut", WIDTH, CHANNELS[name], 1, 1.0),
            ("conv1", narrow, CHANNELS[name], 1, 1.0),
            ("conv2", narrow, narrow, 3, 1.0),
            ("conv3", WIDTH, narrow, 1, 0.3),
        )
        for layer, outputs, inputs, kernel, scale in layers:
            state[f"{block}.{layer}.weight"] = _convolution(rng, outputs, inputs, kernel)
            _norm(state, f"{block}.{layer}", outputs, scale)
    state["mixing_weights"] = torch.log(torch.tensor([MIXING[name] for name in INPUTS]))
    return state


def main() -> None:
    """Write the file in demo/networks, or where the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).parents[1] / "networks" / "post_processor.pth"
    parser.add_argument("--output", type=Path, default=default)
    write_state_dict(parser.parse_args().output, make_state())


if __name__ == "__main__":
    main()
