"""Train the demo's small Depth Anything on rendered shards, for a given number of minutes.

First the relief itself (inverse depth with a fixed normalisation), with canonical coordinates,
normals and the object as helper targets; then, more and more, the error inside the object after
the best scale and shift, and its gradients.

    python -m demo.training.train_depth --data /tmp/renders --run /tmp/run_depth --minutes 90
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from demo.training import shards as data
from demo.training.depth_model import (
    MEAN,
    OFFSET,
    PATCH,
    SIDE,
    STD,
    SUBGRID,
    Trainee,
    finished,
    make_processor,
)
from demo.training.loop import (
    Average,
    Clock,
    command_line,
    learning_rate,
    make_optimisers,
    prepare,
    resume_run,
    save_run,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """Augmented pictures (B, 3, S, S) with their truth.

    relief (B, S, S), mask (B, S, S) at full size; helper targets (B, 7, h, h) at two sizes.
    """

    pixels: torch.Tensor
    relief: torch.Tensor
    mask: torch.Tensor
    extra: dict[int, torch.Tensor]


def _extra_targets(
    fields: dict[str, torch.Tensor], crops: torch.Tensor, flip: torch.Tensor, side: int
) -> torch.Tensor:
    """Canonical coordinates, normals and the object (B, 7, side, side)."""
    grid = data.sampling_grid(crops, flip, (side, side))
    sign = torch.where(flip, -1.0, 1.0)[:, None, None]
    out = []
    for name, limit in (("nocs", data.NOCS_RANGE), ("normal", 1.0)):
        values = data.sample(data.unpack(fields[name], limit), grid)
        values[:, 0] *= sign
        out.append(values)
    return torch.cat([*out, data.sample(fields["mask"][:, None].float(), grid)], dim=1)


def batch_of(raw: data.RawBatch, rng: np.random.Generator) -> Batch:
    """Augment a batch: crops, mirror images, colours."""
    crops = data.random_crops(raw.fields["size"], rng, whole=0.35)
    flip = torch.from_numpy(rng.uniform(size=len(crops)) < 0.5)
    grid = data.sampling_grid(crops, flip, (SIDE, SIDE))
    rgb = data.random_colours(data.sample(data.pictures(raw.rgb, rng), grid, "bilinear"), rng)
    mean, std = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]
    relief = data.sample(raw.fields["relief"][:, None].float(), grid)[:, 0]
    mask = data.sample(raw.fields["mask"][:, None].float(), grid)[:, 0] > 0.5
    tokens = SIDE // PATCH * SUBGRID
    extra = {side: _extra_targets(raw.fields, crops, flip, side) for side in (tokens, SIDE // 2)}
    pixels = ((rgb - mean) / std).contiguous(memory_format=torch.channels_last)
    return Batch(pixels, relief, mask, extra)


def _inside(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted mean over the last two axes."""
    return (values * weight).sum((-2, -1)) / weight.sum((-2, -1)).clamp(min=1)


def plain_loss(relief: torch.Tensor, truth: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Smooth L1 of the relief (B, S, S): the object, and with less weight the rest."""
    error = F.smooth_l1_loss(relief, truth, beta=0.05, reduction="none")
    inside = mask.float()
    return (_inside(error, inside) + 0.15 * _inside(error, 1 - inside)).mean()


def aligned(relief: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """``relief`` under the scale and shift, held fixed, that fit it to ``truth`` in the object."""
    with torch.no_grad():
        x, y = _inside(relief, weight)[:, None, None], _inside(truth, weight)[:, None, None]
        scale = _inside((relief - x) * (truth - y), weight) / _inside(
            (relief - x).square(), weight
        ).clamp(min=1e-6)
        scale = scale.clamp(0.3, 3.0)[:, None, None]
    return scale * (relief - x) + y


def relief_losses(
    relief: torch.Tensor, truth: torch.Tensor, mask: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Aligned error, gradient error, and the share of the range that the first one is.

    All relative to the object's range of relief; (B, S, S) each.
    """
    weight = mask.float()
    low = torch.where(mask, truth, torch.inf).amin((1, 2))
    high = torch.where(mask, truth, -torch.inf).amax((1, 2))
    span = (high - low).clamp(min=0.05)
    fitted = aligned(relief, truth, weight)
    gap = (fitted - truth) / span[:, None, None]
    error = _inside(gap.abs(), weight)
    slopes = torch.zeros(())
    for step in (1, 4):
        for axis in (1, 2):
            size = gap.shape[axis] - step
            near, far = gap.narrow(axis, 0, size), gap.narrow(axis, step, size)
            both = weight.narrow(axis, 0, size) * weight.narrow(axis, step, size)
            slopes = slopes + _inside((far - near).abs(), both).mean()
    return (error + 2 * _inside(gap.square(), weight)).mean(), slopes, error.detach().mean()


def extra_loss(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Helper heads (B, 7, h, h): coordinates in the object, normals everywhere, the object."""
    inside = truth[:, 6]
    place = F.smooth_l1_loss(found[:, :3], truth[:, :3], beta=0.05, reduction="none").sum(1)
    normal = F.smooth_l1_loss(found[:, 3:6], truth[:, 3:6], beta=0.2, reduction="none").sum(1)
    cross = F.binary_cross_entropy_with_logits(found[:, 6], inside)
    normals = _inside(normal, inside) + 0.3 * normal.mean((-2, -1))
    return (_inside(place, inside) + 0.1 * normals).mean() + 0.3 * cross


def total_loss(
    outputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor], batch: Batch, progress: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss at a stage of the training, and the aligned error as a share of the range."""
    relief, tokens, fused = (output.float() for output in outputs)
    relief = relief - OFFSET
    late = min(max((progress - 0.1) / 0.3, 0.0), 1.0)
    fit, slopes, error = relief_losses(relief, batch.relief, batch.mask)
    loss = (1 - 0.7 * late) * plain_loss(relief, batch.relief, batch.mask)
    loss = loss + (0.1 + 0.9 * late) * fit + 0.3 * late * slopes
    coarse = batch.extra[tokens.shape[-1]]
    stride = relief.shape[-1] // tokens.shape[-1]
    centre = (slice(None), slice(stride // 2, None, stride), slice(stride // 2, None, stride))
    rough = F.smooth_l1_loss(tokens[:, 7], batch.relief[centre], beta=0.05, reduction="none")
    loss = loss + 0.5 * _inside(rough, batch.mask[centre].float()).mean()
    helpers = extra_loss(tokens[:, :7], coarse) + extra_loss(fused, batch.extra[fused.shape[-1]])
    return loss + (1 - 0.6 * late) * 0.5 * helpers, error


def save_weights(folder: Path, average: Average) -> None:
    """Write the network alone, without helper heads, in half precision."""
    prefix = "network."
    state = {k.removeprefix(prefix): v for k, v in average.state.items() if k.startswith(prefix)}
    finished(state).half().save_pretrained(folder)
    make_processor().save_pretrained(folder)


def train(options: argparse.Namespace) -> None:
    """Train until the minutes are used, saving the run every few minutes."""
    prepare(options)
    model = Trainee().train().to(memory_format=torch.channels_last)
    optimisers = make_optimisers(model, ("encoder",), options.lr)
    average, step, used = Average(model), 0, 0.0
    if (options.run / "run.pth").exists():
        step, used = resume_run(options.run / "run.pth", model, average, optimisers)
    rng = np.random.default_rng([options.seed, step])
    clock, saved, first, mean = Clock(options.minutes, used), used, step, 0.2
    shards = data.Shards(options.data, ("relief", "mask", "nocs", "normal"))
    for raw in shards.batches(options.batch, rng):
        batch = batch_of(raw, rng)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = model(batch.pixels)
        loss, error = total_loss(outputs, batch, clock.progress)
        loss.backward()
        rate = learning_rate(clock.progress, step, options.lr)
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        average.update(model, step)
        step, mean = step + 1, 0.98 * mean + 0.02 * error.item()
        if step % 50 == 0:
            speed = (step - first) * options.batch / (clock.used - used)
            log.info(
                "step %d, %.1f min, %.1f images/s, loss %.4f, error %.4f of the range",
                step, clock.used / 60, speed, loss.item(), mean,
            )  # fmt: skip
        if clock.used - saved > 240 or clock.progress >= 1:
            saved = clock.used
            save_run(options.run / "run.pth", model, average, optimisers, step, clock.used)
            save_weights(options.run / "depth", average)
        if clock.progress >= 1:
            break


def main() -> None:
    parser = command_line(__doc__.splitlines()[0], minutes=90, batch=24)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
