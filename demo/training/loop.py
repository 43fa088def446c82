"""What both trainings share: optimiser, averaged weights, a schedule by the clock, checkpoints."""

from __future__ import annotations

import argparse
import logging
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn


def command_line(description: str, minutes: float, batch: int) -> argparse.ArgumentParser:
    """The options that every training has, with its own default minutes and images a step."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="folder of rendered shards")
    parser.add_argument("--run", type=Path, required=True, help="checkpoints and weights go here")
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    return parser


def prepare(options: argparse.Namespace) -> None:
    """Start the log, make the run's folder, and fix threads and torch's random numbers."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)


def _orthogonal(gradients: torch.Tensor) -> torch.Tensor:
    """The nearest semi-orthogonal matrices of (N, a, b), by five Newton-Schulz steps."""
    x = gradients.bfloat16()
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x.mT if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Momentum with orthogonalised updates for matrices (K. Jordan et al., 2024).

    The update's size is matched to Adam's, so that learning rates carry over. Matrices of equal
    shape are treated as one batch.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, decay: float) -> None:
        super().__init__(parameters, {"lr": lr, "decay": decay, "momentum": 0.95})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            shapes: dict[tuple[int, ...], list[nn.Parameter]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    shapes.setdefault(tuple(parameter.shape), []).append(parameter)
            for shape, members in shapes.items():
                for parameter in members:
                    state = self.state[parameter]
                    if not state:
                        state["momentum"] = torch.zeros_like(parameter)
                    state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                momenta = torch.stack([self.state[p]["momentum"] for p in members])
                gradients = torch.stack([p.grad for p in members if p.grad is not None])
                mixed = gradients.lerp(momenta, group["momentum"])
                updates = _orthogonal(mixed) * 0.2 * math.sqrt(max(shape))
                for parameter, update in zip(members, updates, strict=True):
                    parameter.mul_(1 - group["lr"] * group["decay"])
                    parameter.add_(update, alpha=-group["lr"])


def make_optimisers(
    model: nn.Module, inner: tuple[str, ...], lr: float, decay: float = 0.03
) -> list[torch.optim.Optimizer]:
    """Muon for matrices whose name contains one of ``inner``, AdamW for the rest."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        hidden = parameter.ndim == 2 and min(parameter.shape) > 8
        hidden = hidden and any(part in name for part in inner)
        (matrices if hidden else others).append(parameter)
    return [
        Muon(matrices, lr=lr, decay=decay),
        torch.optim.AdamW(others, lr=lr, betas=(0.9, 0.98), weight_decay=decay),
    ]


class Clock:
    """Progress in [0, 1] of a training that may use a given number of minutes."""

    def __init__(self, minutes: float, used: float = 0.0) -> None:
        self._seconds = 60 * minutes
        self._begin = time.monotonic() - used

    @property
    def used(self) -> float:
        """Seconds used so far, those before a restart included."""
        return time.monotonic() - self._begin

    @property
    def progress(self) -> float:
        return min(self.used / self._seconds, 1.0)


def learning_rate(progress: float, step: int, peak: float, warm_up: int = 200) -> float:
    """Linear warm-up by steps, then a cosine by progress down to 1 % of the peak."""
    cosine = 0.5 * (1 + math.cos(math.pi * progress))
    return peak * min(1.0, (step + 1) / warm_up) * (0.01 + 0.99 * cosine)


class Average:
    """Exponential moving average of a model's parameters and buffers."""

    def __init__(self, model: nn.Module) -> None:
        self.state = {k: v.detach().clone().float() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        keep = min(0.998, (step + 1) / (step + 20))
        for name, value in model.state_dict().items():
            self.state[name].lerp_(value.float(), 1 - keep)


def save_run(
    path: Path,
    model: nn.Module,
    average: Average,
    optimisers: list[torch.optim.Optimizer],
    step: int,
    used: float,
) -> None:
    """Write all that a training needs to go on; the file is replaced at once."""
    temporary = path.with_suffix(".partial")
    torch.save(
        {
            "model": model.state_dict(),
            "average": average.state,
            "optimisers": [optimiser.state_dict() for optimiser in optimisers],
            "step": step,
            "used": used,
        },
        temporary,
    )
    temporary.replace(path)


def resume_run(
    path: Path, model: nn.Module, average: Average, optimisers: list[torch.optim.Optimizer]
) -> tuple[int, float]:
    """Load what ``save_run`` wrote; step and seconds used."""
    saved = torch.load(path, weights_only=True)
    model.load_state_dict(saved["model"])
    average.state = saved["average"]
    for optimiser, state in zip(optimisers, saved["optimisers"], strict=True):
        optimiser.load_state_dict(state)
    return saved["step"], saved["used"]


def fan_in(module: nn.Module) -> None:
    """Weights of convolutions and linear layers with variance 2 / fan-in, zero biases."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        elif isinstance(part, nn.ConvTranspose2d):
            fan = part.weight.shape[0]
            nn.init.normal_(part.weight, std=math.sqrt(1 / fan))
        else:
            continue
        if part.bias is not None:
            nn.init.zeros_(part.bias)


def wave_positions(rows: int, columns: int, width: int) -> torch.Tensor:
    """Sine and cosine position codes (rows, columns, width), amplitude 0.5."""
    quarter = width // 4
    rates = 1 / 100 ** (torch.arange(quarter) / quarter)
    y = torch.arange(rows)[:, None, None] * rates
    x = torch.arange(columns)[None, :, None] * rates
    shape = (rows, columns, quarter)
    waves = [wave.expand(shape) for wave in (y.sin(), y.cos(), x.sin(), x.cos())]
    return 0.5 * torch.cat(waves, dim=-1)
