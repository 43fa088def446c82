"""Score the demo's two networks on held-out renders, through the published classes alone.

Masks: SamPredictor, all visible keypoints as positive points, third candidate. Depth:
AutoImageProcessor, AutoModelForDepthEstimation, bicubic resize to the image; the error lies inside
the object, after the best scale and shift, relative to the object's range of inverse depth.

    python -m demo.training.score --write
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from demo.rendering.render import keypoint_visibility, project, render
from demo.rendering.scene import random_scene
from demo.training.render_training_set import CATEGORIES, image_size

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
NETWORKS = HERE.parent / "networks"
SAM_CHECKPOINT, DEPTH_FOLDER = NETWORKS / "sam_demo.pth", NETWORKS / "depth"
SCORES = HERE / "scores.json"
HELD_OUT_SEEDS = 977_000_003
LONGEST = (320, 500)
SAMPLES = 2
"""Rays a pixel along each axis, as in the demo's dataset."""


@dataclass(frozen=True)
class Example:
    """A held-out render: rgb (H, W, 3) uint8, inverse (H, W), mask (H, W), points (P, 2)."""

    category: str
    rgb: np.ndarray
    inverse: np.ndarray
    mask: np.ndarray
    points: np.ndarray


def held_out(category: str, index: int) -> Example:
    """Held-out render number ``index`` of a category."""
    rng = np.random.default_rng([HELD_OUT_SEEDS, CATEGORIES.index(category), index])
    width, height = image_size(rng, int(rng.integers(*LONGEST)))
    scene = random_scene(category, rng, width=width, height=height)
    picture = render(scene, SAMPLES)
    points = project(scene, scene.instance.keypoints)[keypoint_visibility(scene, picture.canonical)]
    return Example(category, picture.rgb, 1 / picture.depth, picture.mask, points)


def kept(folder: Path, category: str, index: int) -> Example:
    """``held_out``, from a file in ``folder`` if it is there, else rendered and kept there."""
    path = folder / f"{category}_{index:04d}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        example = held_out(category, index)
        fields = {name: getattr(example, name) for name in ("rgb", "inverse", "mask", "points")}
        np.savez(path, **fields)
    with np.load(path) as values:
        return Example(category, **values)


def mask_predictor(checkpoint: Path) -> Callable[[Example], np.ndarray]:
    """A function that gives SAM's third candidate (H, W) for an example."""
    from segment_anything import SamPredictor

    from semalign3d.maps.masks.sam_registry import build_sam

    predictor = SamPredictor(build_sam("vit_demo", checkpoint))

    def predict(example: Example) -> np.ndarray:
        predictor.set_image(example.rgb)
        labels = np.ones(len(example.points), dtype=int)
        masks, _, _ = predictor.predict(example.points, labels, multimask_output=True)
        return masks[2].astype(bool)

    return predict


def depth_predictor(folder: Path) -> Callable[[Example], np.ndarray]:
    """A function that gives relative inverse depth (H, W) for an example."""
    from transformers import AutoImageProcessor, AutoModelForDepthEstimation

    processor = AutoImageProcessor.from_pretrained(folder)
    model = AutoModelForDepthEstimation.from_pretrained(folder, dtype=torch.float32).eval()

    def predict(example: Example) -> np.ndarray:
        inputs = processor(images=example.rgb, return_tensors="pt")
        with torch.no_grad():
            depth = model(**inputs).predicted_depth[:, None]
        size = example.mask.shape
        return F.interpolate(depth, size, mode="bicubic", align_corners=False)[0, 0].numpy()

    return predict


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two masks (H, W)."""
    return float((found & truth).sum() / max((found | truth).sum(), 1))


def depth_errors(found: np.ndarray, example: Example) -> dict[str, float]:
    """Errors inside the object over its range of inverse depth, with those of a constant.

    ``mean`` and ``rms`` follow the least-squares scale and shift; the constant's are measured from
    the mean. ``order`` is the correlation of found and true inverse depth.
    """
    truth = example.inverse[example.mask].astype(float)
    values = found[example.mask].astype(float)
    span = float(np.ptp(truth))
    design = np.stack([values, np.ones_like(values)], axis=1)
    fitted = design @ np.linalg.lstsq(design, truth, rcond=None)[0]
    flat = truth - truth.mean()
    return {
        "mean": float(np.abs(fitted - truth).mean() / span),
        "rms": float(np.sqrt(np.square(fitted - truth).mean()) / span),
        "constant_mean": float(np.abs(flat).mean() / span),
        "constant_rms": float(np.sqrt(np.square(flat).mean()) / span),
        "order": float(np.corrcoef(values, truth)[0, 1]) if values.std() > 0 else 0.0,
    }


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}


def _by_category(
    examples: Sequence[Example], rows: Sequence[dict[str, float]]
) -> dict[str, dict[str, float]]:
    """Means over all examples and over those of each category."""
    out = {"all": _means(rows)}
    for category in CATEGORIES:
        chosen = [row for example, row in zip(examples, rows, strict=True)
                  if example.category == category]  # fmt: skip
        if chosen:
            out[category] = _means(chosen)
    return out


def score(examples: Sequence[Example], sam: Path | None, depth: Path | None) -> dict[str, Any]:
    """Scores of the networks that are given."""
    out: dict[str, Any] = {"images": len(examples)}
    if sam is not None:
        predict = mask_predictor(sam)
        overlaps = [overlap(predict(example), example.mask) for example in examples]
        out["sam_iou"] = _by_category(examples, [{"mean": value} for value in overlaps])
        out["sam_iou"]["all"]["lowest_tenth"] = round(float(np.quantile(overlaps, 0.1)), 4)
    if depth is not None:
        predict = depth_predictor(depth)
        rows = [depth_errors(predict(example), example) for example in examples]
        out["depth_error"] = _by_category(examples, rows)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=150, help="images a category")
    parser.add_argument("--sam", type=Path, default=SAM_CHECKPOINT)
    parser.add_argument("--depth", type=Path, default=DEPTH_FOLDER)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--renders", type=Path, help="folder that keeps the held-out renders")
    parser.add_argument("--write", action="store_true", help=f"write {SCORES.name}")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    examples = [
        held_out(name, index) if options.renders is None else kept(options.renders, name, index)
        for index in range(options.count)
        for name in CATEGORIES
    ]
    scores = score(
        examples,
        options.sam if options.sam.exists() else None,
        options.depth if options.depth.exists() else None,
    )
    text = json.dumps(scores, indent=2) + "\n"
    if options.write:
        SCORES.write_text(text)
    log.info("%s", text)


if __name__ == "__main__":
    main()
