"""Annotations in SPair-71k's own keys, for images and for pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

KEYPOINT_IDS = 30
"""SPair-71k lists ids "0" to "29" for every category."""
_POSES = {0: "Frontal", 90: "Left", 180: "Rear", 270: "Right"}
_SCALE_STEPS = (1.35, 2.0)
"""Ratios of box sizes from which SPair-71k's scale variation counts as 1 and as 2."""


def mask_box(mask: np.ndarray) -> list[int]:
    """The box [x1, y1, x2, y2] of a mask's pixels, both ends included."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])]


def pose_name(azimuth: float) -> str:
    """SPair-71k's word for a view, given its azimuth in degrees."""
    for angle, name in _POSES.items():
        if abs((azimuth - angle + 180) % 360 - 180) <= 15:
            return name
    return "Unspecified"


def image_annotation(
    category: str,
    stem: str,
    mask: np.ndarray,
    pixels: np.ndarray,
    visible: np.ndarray,
    azimuth: float,
) -> dict[str, Any]:
    """The ImageAnnotation of one image.

    Parameters
    ----------
    category, stem : name and file stem
    mask : (H, W) bool of the object
    pixels : (K, 2) projected keypoints
    visible : (K,) bool; the others become null
    azimuth : degrees, 0 at the front
    """
    height, width = mask.shape
    keypoints: dict[str, list[int] | None] = {str(i): None for i in range(KEYPOINT_IDS)}
    for index in np.flatnonzero(visible):
        keypoints[str(index)] = [round(float(v)) for v in pixels[index]]
    return {
        "filename": f"{stem}.jpg",
        "src_database": "semalign3d demo",
        "src_annotation": "semalign3d demo",
        "src_image": "rendered",
        "image_width": width,
        "image_height": height,
        "image_depth": 3,
        "category": category,
        "pose": pose_name(azimuth),
        "truncated": 0,
        "occluded": 0,
        "difficult": 0,
        "bndbox": mask_box(mask),
        "kps": keypoints,
        "azimuth_id": int(np.rint(azimuth / 45.0)) % 8,
    }


def _viewpoint_variation(source: int, target: int) -> int:
    """0, 1 or 2 for azimuth bins that are equal or next, within 90 degrees, or further apart."""
    gap = abs(source - target) % 8
    gap = min(gap, 8 - gap)
    return 0 if gap <= 1 else 1 if gap == 2 else 2


def _scale_variation(source: list[int], target: list[int]) -> int:
    """0, 1 or 2 by the ratio of the boxes' longest sides."""
    sides = [max(b[2] - b[0], b[3] - b[1]) for b in (source, target)]
    ratio = max(sides) / max(min(sides), 1)
    return sum(ratio > step for step in _SCALE_STEPS)


def pair_annotation(
    number: int, name: str, source: dict[str, Any], target: dict[str, Any]
) -> dict[str, Any]:
    """The PairAnnotation of two images' annotations: keypoints seen in both, and flags."""
    shared = [i for i, p in source["kps"].items() if p is not None and target["kps"][i] is not None]
    return {
        "pair_id": number,
        "filename": name,
        "src_imname": source["filename"],
        "trg_imname": target["filename"],
        "src_imsize": [source["image_width"], source["image_height"], source["image_depth"]],
        "trg_imsize": [target["image_width"], target["image_height"], target["image_depth"]],
        "src_bndbox": source["bndbox"],
        "trg_bndbox": target["bndbox"],
        "category": source["category"],
        "src_pose": source["pose"],
        "trg_pose": target["pose"],
        "src_kps": [source["kps"][i] for i in shared],
        "trg_kps": [target["kps"][i] for i in shared],
        "kps_ids": shared,
        "mirror": 0,
        "viewpoint_variation": _viewpoint_variation(source["azimuth_id"], target["azimuth_id"]),
        "scale_variation": _scale_variation(source["bndbox"], target["bndbox"]),
        "truncation": 0,
        "occlusion": 0,
    }
