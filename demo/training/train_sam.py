"""Train the demo's small SAM on rendered shards, for a given number of minutes.

The prompt is what METHOD.md section 2 gives SAM: all visible keypoints as positive points (now and
then only some of them). Third candidate: the whole object; second: its largest part under a
prompt; first: the part under the first prompt.

    python -m demo.training.train_sam --data /tmp/renders --run /tmp/run_sam --minutes 70
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from segment_anything.modeling import Sam

from demo.training import shards as data
from demo.training.loop import (
    Average,
    Clock,
    command_line,
    learning_rate,
    make_optimisers,
    prepare,
    resume_run,
    save_run,
    wave_positions,
)
from semalign3d.maps.masks.sam_registry import build_sam_demo

log = logging.getLogger(__name__)

MASK_WEIGHTS = torch.tensor([0.15, 0.05, 0.05, 1.0])
"""Weights of the single mask and the three candidates in the loss."""


def initial_model(start: Path | None = None) -> Sam:
    """An untrained model with sinusoidal positions and weights of unit gain.

    With `start`, a model with the weights of a trained one, whose image size and patch size may
    differ: its position codes and patch kernels are resized.
    """
    sam = build_sam_demo()
    if start is not None:
        sam.load_state_dict(resized(torch.load(start, weights_only=True), sam.state_dict()))
        return sam
    encoder = sam.image_encoder
    rows, columns, width = encoder.pos_embed.shape[1:]
    encoder.pos_embed.data = wave_positions(rows, columns, width)[None]
    for module in sam.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.xavier_uniform_(module.weight)
            torch.nn.init.zeros_(module.bias)
    return sam


def resized(
    found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Weights of a model of another grid, for one whose state dict is `expected`."""
    out = {name: value.float() for name, value in found.items()}
    name = "image_encoder.pos_embed"
    codes = out[name].permute(0, 3, 1, 2)
    out[name] = F.interpolate(codes, expected[name].shape[1:3], mode="bicubic").permute(0, 2, 3, 1)
    name = "image_encoder.patch_embed.proj.weight"
    before, after = out[name].shape[-1], expected[name].shape[-1]
    kernels = F.interpolate(out[name], (after, after), mode="bilinear", antialias=True)
    out[name] = kernels * (before / after) ** 2
    return out


def letterbox(crops: torch.Tensor) -> torch.Tensor:
    """Crops (B, 4) grown to squares of their longest side: right and below lies padding."""
    square = crops.clone()
    square[:, 2:] = crops[:, 2:].amax(dim=1, keepdim=True)
    return square


def prompt_points(
    keypoints: torch.Tensor,
    crops: torch.Tensor,
    flip: torch.Tensor,
    side: int,
    rng: np.random.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Prompt coordinates (B, P, 2) in network pixels and labels (B, P): 1, or -1 for none."""
    scale = side / crops[:, 2:].amax(dim=1)
    x = (keypoints[..., 0] + 0.5 - crops[:, :1]) * scale[:, None]
    y = (keypoints[..., 1] + 0.5 - crops[:, 1:2]) * scale[:, None]
    extent = crops[:, 2:] * scale[:, None]
    x = torch.where(flip[:, None], extent[:, :1] - x, x)
    inside = (x > 0) & (y > 0) & (x < extent[:, :1]) & (y < extent[:, 1:])
    keep = torch.ones_like(inside)
    for index in np.flatnonzero(rng.uniform(size=len(keypoints)) < 0.05):
        keep[index] = torch.from_numpy(rng.uniform(size=keypoints.shape[1]) < rng.uniform(0.1, 1))
    keep |= ~(inside & keep).any(dim=1, keepdim=True)
    labels = torch.where(inside & keep, 1, -1)
    points = torch.nan_to_num(torch.stack([x, y], dim=-1) - 0.5)
    return points, labels


def batch_of(
    raw: data.RawBatch, rng: np.random.Generator, side: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Augmented pictures (B, 3, S, S), prompts, part ids (B, S, S) (-1 off the object), valid."""
    fields = raw.fields
    crops = data.random_crops(fields["size"], rng, whole=0.4)
    flip = torch.from_numpy(rng.uniform(size=len(crops)) < 0.5)
    square = letterbox(crops)
    shift = (square[:, 2] - crops[:, 2]) * flip
    square[:, 0] -= shift
    grid = data.sampling_grid(square, flip, (side, side))
    rgb = data.random_colours(data.sample(data.pictures(raw.rgb, rng), grid, "bilinear"), rng)
    extent = (crops[:, 2:] / square[:, 2:] * side).round()
    ruler = torch.arange(side)
    valid = (ruler[None, None] < extent[:, :1, None]) & (ruler[None, :, None] < extent[:, 1:, None])
    mean = torch.tensor([123.675, 116.28, 103.53])[:, None, None] / 255
    std = torch.tensor([58.395, 57.12, 57.375])[:, None, None] / 255
    pixels = (rgb - mean) / std * valid[:, None]
    part = data.sample(fields["part"][:, None].float(), grid)[:, 0].round().long()
    part = torch.where(valid, part, -1)
    points, labels = prompt_points(fields["keypoints"], crops, flip, side, rng)
    return pixels, points, labels, part, valid


def equal_counts(
    points: torch.Tensor, labels: torch.Tensor, rng: np.random.Generator, group: int = 4
) -> list[tuple[np.ndarray, torch.Tensor]]:
    """Images (B) in groups with equally many prompts: their numbers, and their prompts (b, n, 2).

    A prompt slot that is not used would still be a token that the decoder attends to, and
    SamPredictor has none; so a group keeps as many of each image's prompts as the poorest has.
    """
    counts = (labels > 0).sum(dim=1).numpy()
    groups = []
    for rows in np.split(np.argsort(counts, kind="stable"), range(group, len(counts), group)):
        fewest = counts[rows].min()
        chosen = [rng.permutation(np.flatnonzero(labels[row] > 0))[:fewest] for row in rows]
        groups.append((rows, points[torch.from_numpy(rows)[:, None], np.stack(chosen)]))
    return groups


def decode(
    sam: Sam, embedding: torch.Tensor, prompts: list[tuple[np.ndarray, torch.Tensor]]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Low-resolution masks (B, 4, h, w) and their scores (B, 4), from groups of `equal_counts`.

    The stock decoder repeats one image's embedding for many prompts; here each image has its own.
    """
    parts = [_decode_group(sam, embedding[rows], points) for rows, points in prompts]
    back = np.argsort(np.concatenate([rows for rows, _ in prompts]))
    return torch.cat([masks for masks, _ in parts])[back], torch.cat(
        [scores for _, scores in parts]
    )[back]


def _decode_group(
    sam: Sam, embedding: torch.Tensor, points: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Masks (b, 4, h, w) and scores (b, 4) of images with prompts (b, n, 2), all positive."""
    labels = torch.ones(points.shape[:2])
    sparse = sam.prompt_encoder._embed_points(points, labels, pad=True)
    dense = sam.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
    decoder = sam.mask_decoder
    output = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([output.expand(len(points), -1, -1), sparse], dim=1)
    position = sam.prompt_encoder.get_dense_pe().expand_as(embedding)
    queries, keys = decoder.transformer(embedding + dense, position, tokens)
    image = decoder.output_upscaling(keys.mT.reshape(embedding.shape))
    hyper = torch.stack(
        [mlp(queries[:, 1 + i]) for i, mlp in enumerate(decoder.output_hypernetworks_mlps)],
        dim=1,
    )
    masks = torch.einsum("bmc,bchw->bmhw", hyper, image)
    return masks, decoder.iou_prediction_head(queries[:, 0])


def targets(part: torch.Tensor, prompts: list[tuple[np.ndarray, torch.Tensor]]) -> torch.Tensor:
    """Masks (B, 4, S, S): the whole object (single), a part, the largest part, the whole."""
    side = part.shape[-1]
    whole = part >= 0
    out = torch.stack([whole] * 4, dim=1)
    for rows, points in prompts:
        for index, spots in zip(rows, points.round().long().clamp(0, side - 1), strict=True):
            x, y = spots.unbind(-1)
            hit = part[index, y, x]
            hit = hit[hit >= 0]
            if len(hit):
                counts = torch.stack([(part[index] == i).sum() for i in hit])
                out[index, 1] = part[index] == hit[0]
                out[index, 2] = part[index] == hit[counts.argmax()]
    return out


def _errors(
    logits: torch.Tensor, wanted: torch.Tensor, weight: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross entropy and dice loss, and IoU, of masks; all (B, M, h, w), results (B, M)."""
    area = (-2, -1)
    cross = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * weight
    chance = logits.sigmoid() * weight
    both = (chance * wanted).sum(area)
    dice = 1 - (2 * both + 1) / (chance.sum(area) + wanted.sum(area) + 1)
    with torch.no_grad():
        found = (logits > 0) & (weight > 0.5)
        true = wanted > 0.5
        iou = (found & true).sum(area) / (found | true).sum(area).clamp(min=1)
    return 2 * cross.sum(area) / weight.sum(area) + dice, iou


def mask_loss(
    masks: torch.Tensor, scores: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss and the third candidate's mean IoU: that one at full size, the others as predicted.

    masks (B, 4, h, w), scores (B, 4), truth (B, 4, S, S), valid (B, S, S).
    """
    side, weight = truth.shape[-1], valid[:, None].float()
    full = F.interpolate(masks[:, 3:], (side, side), mode="bilinear", align_corners=False)
    whole, whole_iou = _errors(full, truth[:, 3:].float(), weight)
    low = side // masks.shape[-1]
    rest, rest_iou = _errors(
        masks[:, :3], F.avg_pool2d(truth[:, :3].float(), low), F.avg_pool2d(weight, low)
    )
    judged = (scores - torch.cat([rest_iou, whole_iou], dim=1)).square()
    errors = torch.cat([rest, whole], dim=1) + 0.1 * judged
    return (errors * MASK_WEIGHTS).sum(1).mean(), whole_iou.mean()


def train(options: argparse.Namespace) -> None:
    """Train until the minutes are used, saving the run every few minutes."""
    prepare(options)
    sam = initial_model(options.start).train()
    side = sam.image_encoder.img_size
    optimisers = make_optimisers(sam, ("blocks", "transformer"), options.lr)
    average, step, used = Average(sam), 0, 0.0
    if (options.run / "run.pth").exists():
        step, used = resume_run(options.run / "run.pth", sam, average, optimisers)
    rng = np.random.default_rng([options.seed, step])
    clock, saved, seen, first = Clock(options.minutes, used), used, 0.0, step
    shards = data.Shards(options.data, ("part", "keypoints"))
    for raw in shards.batches(options.batch, rng):
        rate = learning_rate(clock.progress, step, options.lr)
        pixels, points, labels, part, valid = batch_of(raw, rng, side)
        prompts = equal_counts(points, labels, rng)
        truth = targets(part, prompts)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            masks, scores = decode(sam, sam.image_encoder(pixels), prompts)
        loss, iou = mask_loss(masks.float(), scores.float(), truth, valid)
        loss.backward()
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        average.update(sam, step)
        step += 1
        seen = iou.item() if step == first + 1 else 0.98 * seen + 0.02 * iou.item()
        if step % 25 == 0:
            speed = (step - first) * options.batch / (clock.used - used)
            log.info(
                "step %d, %.1f min, %.1f images/s, loss %.3f, IoU %.3f",
                step, clock.used / 60, speed, loss.item(), seen,
            )  # fmt: skip
        if clock.used - saved > 180 or clock.progress >= 1:
            saved = clock.used
            save_run(options.run / "run.pth", sam, average, optimisers, step, clock.used)
            half = {name: value.half() for name, value in average.state.items()}
            torch.save(half, options.run / "sam_demo.pth")
        if clock.progress >= 1:
            break


def main() -> None:
    parser = command_line(__doc__.splitlines()[0], minutes=120, batch=16)
    parser.add_argument("--start", type=Path, help="weights to begin with, of any grid")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
