"""Armchairs: seat, four legs, backrest with its filling, armrests; 14 keypoints.

Before scaling, lengths are metres; x is the chair's own left, y up, z front. Keypoints of even id
lie on the chair's own right (x < 0), as in SPair-71k, and follow its mirror table:
0/1 seat front corners, 2/3 seat back corners, 4/5 front feet, 6/7 back feet, 8/9 backrest top
corners, 10/11 armrest front ends, 12/13 armrest back ends.
"""

from __future__ import annotations

import numpy as np

from demo.shapes.mesh import MeshBuilder

PARTS = ("seat", "back", "frame", "legs", "arms")
SEAT, BACK, FRAME, LEGS, ARMS = range(len(PARTS))

MEAN = {
    "width": 0.54,
    "back_width": 0.49,
    "depth": 0.50,
    "seat_height": 0.44,
    "seat_thickness": 0.07,
    "back_height": 0.50,
    "recline": 0.10,
    "leg": 0.048,
    "splay": 0.04,
    "arm_height": 0.22,
    "arm_length": 0.42,
    "arm_thickness": 0.042,
    "crest": 0.09,
}
"""Mean proportions; an instance varies each by up to 15 %."""


def random_style(rng: np.random.Generator) -> dict[str, str | int]:
    """What differs between chairs beyond proportions: legs, filling of the back, stretchers."""
    return {
        "legs": str(rng.choice(["square", "round"])),
        "back": str(rng.choice(["panel", "slats", "rungs", "cushion"])),
        "count": int(rng.integers(3, 7)),
        "stretchers": int(rng.integers(0, 2)),
        "supports": int(rng.integers(0, 2)),
    }


def _post(p: dict[str, float], side: float, height: float) -> np.ndarray:
    """The point (3,) of a back post at a height above the seat; ``side`` is -1 (right) or 1."""
    share = height / p["back_height"]
    half = p["back_width"] / 2 - p["leg"] / 2
    return np.array(
        [side * half, p["seat_height"] + height, -p["depth"] / 2 - share * p["recline"]]
    )


def _foot(p: dict[str, float], side: float, end: float) -> np.ndarray:
    """Centre (3,) of a foot on the floor; ``end`` is 1 (front) or -1 (back)."""
    width = p["width"] if end > 0 else p["back_width"]
    return np.array(
        [
            side * (width / 2 - p["leg"] / 2 + 0.3 * p["splay"]),
            0.0,
            end * (p["depth"] / 2 - p["leg"] / 2 + p["splay"] * (0.3 if end > 0 else 1.0)),
        ]
    )


def _arm_ends(p: dict[str, float], side: float) -> tuple[np.ndarray, np.ndarray]:
    """Front and back end (3,) of an armrest's upper centre line."""
    back = _post(p, side, p["arm_height"])
    half = p["width"] / 2 - p["arm_thickness"] / 2
    front = np.array([side * half, back[1], -p["depth"] / 2 + p["arm_length"] * 1.05])
    return front, back


def keypoints(p: dict[str, float]) -> np.ndarray:
    """The 14 keypoints (14, 3) of a chair with proportions ``p``."""
    inset = 0.006
    points = np.empty((14, 3))
    for slot, side in ((0, -1.0), (1, 1.0)):
        h, d = p["seat_height"], p["depth"] / 2
        points[0 + slot] = side * (p["width"] / 2 - inset), h - inset, d - inset
        points[2 + slot] = side * (p["back_width"] / 2 - inset), h - inset, -d + inset
        points[4 + slot] = _foot(p, side, 1.0) + np.array([0.0, 0.005, 0.0])
        points[6 + slot] = _foot(p, side, -1.0) + np.array([0.0, 0.005, 0.0])
        top = _post(p, side, p["back_height"])
        points[8 + slot] = top + np.array([side * (p["leg"] / 2 - inset), -inset, 0.0])
        points[10 + slot], points[12 + slot] = _arm_ends(p, side)
    return points


def _add_legs(mesh: MeshBuilder, p: dict[str, float], style: dict[str, str | int]) -> None:
    """Four legs, and stretchers between them where the style has them."""
    leg, under = p["leg"], p["seat_height"] - 0.5 * p["seat_thickness"]
    for side in (-1.0, 1.0):
        for end in (-1.0, 1.0):
            foot = _foot(p, side, end)
            width = p["width"] if end > 0 else p["back_width"]
            hip = np.array([side * (width / 2 - leg / 2), under, end * (p["depth"] / 2 - leg / 2)])
            if style["legs"] == "round":
                mesh.tube(LEGS, foot, hip, (0.34 * leg, 0.5 * leg))
            else:
                mesh.beam(LEGS, foot, hip, (0.8 * leg, 0.8 * leg, leg, leg), 0.004)
        if style["stretchers"]:
            ends = [
                0.7 * _foot(p, side, e) + np.array([0.0, 0.32 * p["seat_height"], 0.0])
                for e in (-1.0, 1.0)
            ]
            ends = [np.array([e[0] / 0.7 * 0.995, e[1], e[2] / 0.7 * 0.97]) for e in ends]
            mesh.tube(LEGS, ends[0], ends[1], (0.26 * leg, 0.26 * leg), 10)


def _rail(
    mesh: MeshBuilder, p: dict[str, float], part: int, low: float, high: float, depth: float
) -> None:
    """A board across the back between two heights above the seat, ``depth`` thick."""
    corners = np.empty((2, 2, 2, 3))
    for i, side in enumerate((-1.0, 1.0)):
        for j, height in enumerate((low, high)):
            for k, offset in enumerate((-0.5, 0.5)):
                corners[i, j, k] = _post(p, side, height) + np.array([0.0, 0.0, offset * depth])
    mesh.hexahedron(part, corners, 0.25 * depth)


def _add_back(mesh: MeshBuilder, p: dict[str, float], style: dict[str, str | int]) -> None:
    """Two posts, the crest rail and the filling between them."""
    leg, top = p["leg"], p["back_height"]
    for side in (-1.0, 1.0):
        foot = _post(p, side, -0.6 * p["seat_thickness"])
        mesh.beam(FRAME, foot, _post(p, side, top), (leg, leg, leg, 0.75 * leg), 0.006)
    _rail(mesh, p, FRAME, top - p["crest"], top - 0.002, 0.6 * leg)
    low, high, count = 0.08 * top, top - p["crest"] + 0.005, int(style["count"])
    if style["back"] == "panel":
        _rail(mesh, p, BACK, low, high, 0.35 * leg)
    elif style["back"] == "cushion":
        _rail(mesh, p, BACK, low, high, 1.3 * leg)
    elif style["back"] == "rungs":
        for n in range(count):
            start = low + (high - low) * n / count
            _rail(mesh, p, BACK, start, start + 0.55 * (high - low) / count, 0.35 * leg)
    else:
        _rail(mesh, p, FRAME, low, low + 0.6 * p["crest"], 0.5 * leg)
        right = [_post(p, -1.0, h) for h in (low + 0.02, high)]
        left = [_post(p, 1.0, h) for h in (low + 0.02, high)]
        width = 0.5 * p["back_width"] / (count + 1)
        for n in range(count):
            share = (n + 1) / (count + 1)
            ends = [r + share * (q - r) for r, q in zip(right, left, strict=True)]
            mesh.beam(BACK, ends[0], ends[1], (width, 0.3 * leg, width, 0.3 * leg), 0.004)


def _add_arms(mesh: MeshBuilder, p: dict[str, float], style: dict[str, str | int]) -> None:
    """Two armrests with their supports."""
    thick = p["arm_thickness"]
    for side in (-1.0, 1.0):
        front, back = _arm_ends(p, side)
        corners = np.empty((2, 2, 2, 3))
        for i, sx in enumerate((-0.6, 0.6)):
            for j, sy in enumerate((-0.75, 0.05)):
                for k, centre in enumerate((back, front)):
                    corners[i, j, k] = centre + np.array([sx * thick, sy * thick, 0.0])
        mesh.hexahedron(ARMS, corners, 0.25 * thick)
        spots = (0.88, 0.45) if style["supports"] else (0.88,)
        for spot in spots:
            upper = back + spot * (front - back) - np.array([0.0, 0.4 * thick, 0.0])
            lower = np.array([upper[0], p["seat_height"] - 0.5 * p["seat_thickness"], upper[2]])
            lower[0] = side * min(abs(lower[0]), p["width"] / 2 - 0.4 * thick)
            mesh.beam(ARMS, lower, upper, (0.6 * thick,) * 4, 0.004)


def build_mesh(
    p: dict[str, float], style: dict[str, str | int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), normals (V, 3), faces (F, 3), part ids (F,).

    What is connected to what depends on the style only.
    """
    mesh = MeshBuilder()
    h, t, d = p["seat_height"], p["seat_thickness"], p["depth"] / 2
    corners = np.empty((2, 2, 2, 3))
    for i, side in enumerate((-0.5, 0.5)):
        for j, y in enumerate((h - t, h)):
            corners[i, j, 0] = side * p["back_width"], y, -d
            corners[i, j, 1] = side * p["width"], y, d
    mesh.hexahedron(SEAT, corners, 0.25 * t)
    _add_legs(mesh, p, style)
    _add_back(mesh, p, style)
    _add_arms(mesh, p, style)
    return mesh.build()
