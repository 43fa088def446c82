"""Bottles: surfaces of revolution with body, shoulder, neck and cap; 10 keypoints.

Before scaling, lengths are metres; y is up. A bottle looks the same from all sides, so its
keypoints are annotated at the silhouette, left and right as the viewer sees them, and its canonical
frame turns with the view: z points at the viewer's side and x to the viewer's right (the left of
whoever faces the viewer). Even ids are the viewer's left (x < 0), in SPair-71k's mirror table:
0/1 top of the cap, 2/3 lower edge of the cap, 4/5 lower end of the neck, 6/7 lower end of the
shoulder, 8/9 bottom.

They lie a little inside the outline, as people click them: ``INSIDE`` degrees before the plane
z = 0, which they leave by less than 3 % of the bottle's length. From a distance d, the silhouette
of a ring of radius r would lie asin(r / d) before it, 2 to 6 degrees.
"""

from __future__ import annotations

import numpy as np

from demo.shapes.mesh import MeshBuilder

PARTS = ("body", "neck", "cap", "label")
BODY, NECK, CAP, LABEL = range(len(PARTS))

MEAN = {
    "body_radius": 0.045,
    "body_height": 0.150,
    "shoulder_height": 0.045,
    "neck_height": 0.060,
    "neck_radius": 0.0165,
    "neck_base_radius": 0.021,
    "cap_height": 0.024,
    "cap_radius": 0.0195,
}
"""Mean proportions; an instance varies each by up to 15 %."""

_SIDES = 48
INSIDE = 12.0
LABEL_SPAN = (0.16, 0.8)
"""Where the label begins and ends, as shares of the body's height."""


def random_style(rng: np.random.Generator) -> dict[str, str | int]:
    """What differs between bottles beyond proportions: cap, shoulder, whether it has a label."""
    return {
        "cap": str(rng.choice(["straight", "crown"])),
        "shoulder": str(rng.choice(["round", "sloped"])),
        "label": int(rng.uniform() < 0.75),
    }


def _levels(p: dict[str, float]) -> tuple[float, float, float, float]:
    """Heights of the lower ends of shoulder, neck and cap, and of the top."""
    shoulder = p["body_height"]
    neck = shoulder + p["shoulder_height"]
    cap = neck + p["neck_height"]
    return shoulder, neck, cap, cap + p["cap_height"]


def keypoints(p: dict[str, float]) -> np.ndarray:
    """The 10 keypoints (10, 3) of a bottle with proportions ``p``."""
    shoulder, neck, cap, top = _levels(p)
    outline = (
        (p["cap_radius"], top - 0.002),
        (p["cap_radius"], cap + 0.001),
        (p["neck_base_radius"], neck),
        (p["body_radius"], shoulder),
        (p["body_radius"], 0.004),
    )
    points = np.empty((10, 3))
    angle = np.deg2rad(INSIDE)
    for pair, (radius, height) in enumerate(outline):
        side, front = radius * np.cos(angle), radius * np.sin(angle)
        points[2 * pair] = -side, height, front
        points[2 * pair + 1] = side, height, front
    return points


def _revolve(mesh: MeshBuilder, part: int, profile: np.ndarray) -> None:
    """The surface that a profile (N, 2) of radii and heights makes round the axis."""
    angle = 2 * np.pi * np.arange(_SIDES) / _SIDES
    circle = np.stack([np.sin(angle), np.zeros(_SIDES), np.cos(angle)], axis=1)
    rings = profile[:, None, :1] * circle
    rings[..., 1] = profile[:, None, 1]
    mesh.loft(part, rings)


def _shoulder(p: dict[str, float], style: dict[str, str | int]) -> np.ndarray:
    """Profile (N, 2) from the body's upper end to the neck's lower one."""
    low, high, _, _ = _levels(p)
    share = np.linspace(0.0, 1.0, 13)
    fall = (1 - np.cos(np.pi * share)) / 2 if style["shoulder"] == "round" else share**1.2
    radius = p["body_radius"] + (p["neck_base_radius"] - p["body_radius"]) * fall
    return np.stack([radius, low + share * (high - low)], axis=1)


def _cap(p: dict[str, float], style: dict[str, str | int]) -> np.ndarray:
    """Profile (N, 2) of the cap: straight, or flared below as a crown cork."""
    _, _, low, high = _levels(p)
    radius, flare = p["cap_radius"], 1.12 if style["cap"] == "crown" else 1.0
    return np.array(
        [(flare * radius, low), (radius, low + 0.003), (radius, high - 0.003), (0.9 * radius, high)]
    )


def build_mesh(
    p: dict[str, float], style: dict[str, str | int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), normals (V, 3), faces (F, 3), part ids (F,).

    What is connected to what depends on the style only.
    """
    mesh = MeshBuilder()
    radius, height = p["body_radius"], p["body_height"]
    _, neck, cap, _ = _levels(p)
    wall = np.linspace(0.006, height, 9)
    body = np.stack([np.full(9, radius), wall], axis=1)
    foot = np.array([(0.9 * radius, 0.0), (0.98 * radius, 0.002)])
    _revolve(mesh, BODY, np.concatenate([foot, body, _shoulder(p, style)[1:]]))
    if style["label"]:
        band = np.linspace(LABEL_SPAN[0] * height, LABEL_SPAN[1] * height, 5)
        _revolve(mesh, LABEL, np.stack([np.full(5, 1.006 * radius), band], axis=1))
    ends = np.array([(p["neck_base_radius"], neck), (p["neck_radius"], cap + 0.001)])
    _revolve(mesh, NECK, np.linspace(ends[0], ends[1], 7))
    _revolve(mesh, CAP, _cap(p, style))
    return mesh.build()
