"""Airliners: fuselage, swept wings, two engines, tailplane and fin; 25 keypoints.

Before scaling, the unit is the fuselage's length; x is the plane's own left, y up, z front (nose).
Keypoints of even id in a pair lie on the plane's own right (x < 0). The ids keep SPair-71k's mirror
table (0 to 3 and 22 to 24 on the middle plane); their places are the demo's own: 0 nose, 1 foot of
the windscreen, 2 top of the cockpit, 3 belly between the wings, 4/5 wing root front, 6/7 wing tip
front, 8/9 wing tip rear, 10/11 wing root rear, 12/13 engine front, 14/15 engine rear, 16/17
tailplane tip front, 18/19 tailplane tip rear, 20/21 tailplane root front, 22 fin root front, 23 fin
tip, 24 end of the tail.
"""

from __future__ import annotations

import numpy as np

from demo.shapes.mesh import MeshBuilder

PARTS = ("fuselage", "wings", "engines", "tail", "fin", "intake", "gear")
FUSELAGE, WINGS, ENGINES, TAIL, FIN, INTAKE, GEAR = range(len(PARTS))

MEAN = {
    "length": 1.0,
    "radius": 0.068,
    "wing_place": 0.40,
    "wing_root": 0.24,
    "wing_tip": 0.085,
    "half_span": 0.50,
    "sweep": 0.24,
    "dihedral": 0.06,
    "engine_place": 0.34,
    "engine_length": 0.17,
    "engine_radius": 0.043,
    "tail_span": 0.21,
    "tail_root": 0.13,
    "tail_tip": 0.06,
    "tail_sweep": 0.10,
    "fin_height": 0.21,
    "fin_root": 0.19,
    "fin_tip": 0.08,
    "fin_sweep": 0.15,
}
"""Mean proportions; an instance varies each by up to 15 %."""

_SIDES = 28
_STATIONS = np.array(
    # share of length from the nose, radius, height of the centre (both in radii)
    [
        [0.000, 0.02, -0.22],
        [0.008, 0.22, -0.21],
        [0.025, 0.42, -0.18],
        [0.055, 0.64, -0.12],
        [0.095, 0.86, -0.04],
        [0.140, 0.97, 0.00],
        [0.200, 1.00, 0.00],
        [0.450, 1.00, 0.00],
        [0.640, 1.00, 0.00],
        [0.740, 0.90, 0.08],
        [0.840, 0.66, 0.27],
        [0.930, 0.37, 0.48],
        [0.985, 0.17, 0.60],
        [1.000, 0.07, 0.63],
    ]
)


def random_style(rng: np.random.Generator) -> dict[str, str | int]:
    """What differs beyond proportions: wheels (only for a plane that stands on the ground)."""
    return {"gear": int(rng.integers(0, 2))}


def _fuselage(p: dict[str, float], share: float) -> tuple[float, float, float]:
    """Place z, radius and height of the centre of the fuselage at a share of its length."""
    radius, height = (np.interp(share, _STATIONS[:, 0], _STATIONS[:, i]) for i in (1, 2))
    return p["length"] * (0.5 - share), p["radius"] * float(radius), p["radius"] * float(height)


def _station(p: dict[str, float], share: float, side: float) -> np.ndarray:
    """Point (3,) of the fuselage's upper (side 1) or lower (-1) middle line."""
    z, radius, height = _fuselage(p, share)
    return np.array([0.0, height + side * radius, z])


def _wing_chord(p: dict[str, float], share: float) -> tuple[np.ndarray, np.ndarray]:
    """Leading and trailing edge (3,) of the left wing at a share of its span, from the middle."""
    chord = p["wing_root"] + share * (p["wing_tip"] - p["wing_root"])
    z = p["length"] * (0.5 - p["wing_place"]) + 0.1 * p["wing_root"] - share * p["sweep"]
    y = -0.5 * p["radius"] + share * p["dihedral"]
    x = share * p["half_span"]
    return np.array([x, y, z]), np.array([x, y, z - chord])


def _tail_chord(p: dict[str, float], share: float) -> tuple[np.ndarray, np.ndarray]:
    """Leading and trailing edge (3,) of the left tailplane at a share of its span."""
    chord = p["tail_root"] + share * (p["tail_tip"] - p["tail_root"])
    z = -0.36 * p["length"] - share * p["tail_sweep"]
    y = 0.45 * p["radius"] + 0.03 * share
    return np.array([share * p["tail_span"], y, z]), np.array(
        [share * p["tail_span"], y, z - chord]
    )


def _fin_chord(p: dict[str, float], share: float) -> tuple[np.ndarray, np.ndarray]:
    """Leading and trailing edge (3,) of the fin at a share of its height."""
    chord = p["fin_root"] + share * (p["fin_tip"] - p["fin_root"])
    z = -0.29 * p["length"] - share * p["fin_sweep"]
    y = 0.75 * p["radius"] + share * p["fin_height"]
    return np.array([0.0, y, z]), np.array([0.0, y, z - chord])


def _engine(p: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Centres (3,) of the left engine's front and rear opening."""
    front, _ = _wing_chord(p, p["engine_place"])
    centre = front - np.array([0.0, 1.15 * p["engine_radius"], -0.5 * p["engine_length"]])
    return centre, centre - np.array([0.0, 0.0, p["engine_length"]])


def _both(point: np.ndarray) -> list[np.ndarray]:
    """A point of the left half (3,), mirrored to the right, then as it is."""
    return [point * (-1.0, 1.0, 1.0), point]


def keypoints(p: dict[str, float]) -> np.ndarray:
    """The 25 keypoints (25, 3) of a plane with proportions ``p``."""
    wing_share = 0.85 * p["radius"] / p["half_span"]
    tail_share = 0.5 * p["radius"] / p["tail_span"]
    root, tip = _wing_chord(p, wing_share), _wing_chord(p, 1.0)
    tail_root, tail_tip = _tail_chord(p, tail_share), _tail_chord(p, 1.0)
    engine_front, engine_rear = _engine(p)
    belly = 0.5 - (0.5 * (root[0][2] + root[1][2])) / p["length"]
    points = [_station(p, s, 1.0) for s in (0.0, 0.055, 0.14)] + [_station(p, belly, -1.0)]
    top = np.array([0.0, p["engine_radius"], 0.0])
    pairs = (
        *(root[0], tip[0], tip[1], root[1]),
        *(engine_front - 0.9 * top, engine_rear - 0.55 * top),
        *(tail_tip[0], tail_tip[1], tail_root[0]),
    )
    for left in pairs:
        points += _both(left)
    fin_front, fin_tip = _fin_chord(p, 0.12)[0], _fin_chord(p, 1.0)
    points += [fin_front, 0.5 * (fin_tip[0] + fin_tip[1]), _station(p, 0.995, 0.0)]
    return np.array(points)


def _wing_rings(
    chords: list[tuple[np.ndarray, np.ndarray]], up: np.ndarray, thick: float
) -> np.ndarray:
    """Rings (R, S, 3) of a wing's profile around its chords, ``thick`` in shares of the chord."""
    angle = 2 * np.pi * np.arange(20) / 20
    along = 0.5 - 0.5 * np.cos(angle)
    profile = np.sin(angle) * thick * (1.15 - 0.75 * along) / 2
    rings = []
    for front, rear in chords:
        chord = np.linalg.norm(rear - front)
        rings.append(front + along[:, None] * (rear - front) + (profile * chord)[:, None] * up)
    return np.array(rings)


def _add_pairs(mesh: MeshBuilder, p: dict[str, float]) -> None:
    """Wings, tailplanes and engines with their pylons, on both sides."""
    flip = np.array([-1.0, 1.0, 1.0])
    up = np.array([0.0, 1.0, 0.0])
    shares = np.linspace(0.0, 1.0, 7)
    wing = _wing_rings([_wing_chord(p, s) for s in shares], up, 0.13)
    tail = _wing_rings([_tail_chord(p, s) for s in shares], up, 0.11)
    front, rear = _engine(p)
    angle = 2 * np.pi * np.arange(20) / 20
    circle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) * p["engine_radius"]
    outline = [(0.0, 0.86), (0.06, 0.96), (0.3, 1.04), (0.6, 0.95), (1.0, 0.55)]
    engine = np.array([front + s * (rear - front) + r * circle for s, r in outline])
    hang, _ = _wing_chord(p, p["engine_place"])
    pylon = [
        (front + s * (rear - front) + np.array([0.0, 0.5 * p["engine_radius"], 0.0]), hang[1])
        for s in (0.25, 0.95)
    ]
    for side in (flip, np.ones(3)):
        mesh.loft(WINGS, wing * side)
        mesh.loft(TAIL, tail * side)
        mesh.loft(ENGINES, engine * side, cap_part=INTAKE)
        corners = np.empty((2, 2, 2, 3))
        for i, x in enumerate((-0.006, 0.006)):
            for k, (foot, top) in enumerate(pylon[::-1]):
                corners[i, 0, k] = (foot + np.array([x, 0.0, 0.0])) * side
                corners[i, 1, k] = np.array([foot[0] + x, top, foot[2]]) * side
        mesh.hexahedron(ENGINES, corners if side[0] > 0 else corners[::-1], 0.003)


def _add_gear(mesh: MeshBuilder, p: dict[str, float]) -> None:
    """A nose wheel and two main wheels that reach just below the engines."""
    bottom = _engine(p)[0][1] - 1.35 * p["engine_radius"]
    wheel = 0.022
    root = 0.5 * (_wing_chord(p, 0.12)[0] + _wing_chord(p, 0.12)[1])
    nose = _station(p, 0.13, -0.5)
    for top in (nose, root, root * (-1.0, 1.0, 1.0)):
        hub = np.array([top[0], bottom + wheel, top[2]])
        mesh.tube(GEAR, hub, top, (0.007, 0.009), 10)
        for side in (-1.0, 1.0):
            inner = hub + np.array([side * 0.005, 0.0, 0.0])
            mesh.tube(GEAR, inner, inner + np.array([side * 0.012, 0.0, 0.0]), (wheel, wheel), 18)


def build_mesh(
    p: dict[str, float], style: dict[str, str | int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), normals (V, 3), faces (F, 3), part ids (F,).

    What is connected to what depends on the style only.
    """
    mesh = MeshBuilder()
    angle = 2 * np.pi * np.arange(_SIDES) / _SIDES
    circle = np.stack([np.sin(angle), np.cos(angle), 0 * angle], axis=1)
    shares = np.unique(np.concatenate([_STATIONS[:, 0], np.linspace(0.2, 0.74, 10)]))
    rings = []
    for share in shares:
        z, radius, height = _fuselage(p, float(share))
        rings.append(radius * circle + np.array([0.0, height, z]))
    mesh.loft(FUSELAGE, np.array(rings))
    _add_pairs(mesh, p)
    fin = [_fin_chord(p, s) for s in np.linspace(0.0, 1.0, 7)]
    mesh.loft(FIN, _wing_rings(fin, np.array([1.0, 0.0, 0.0]), 0.11))
    if style["gear"]:
        _add_gear(mesh, p)
    return mesh.build()
