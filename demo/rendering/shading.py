"""From geometry buffers to linear colours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from demo.rendering.appearance import Appearance
from demo.shapes import aeroplane, bottle


class Kind(IntEnum):
    """What a pixel shows."""

    OBJECT = 0
    CLUTTER = 1
    GROUND = 2
    BACKDROP = 3


@dataclass(frozen=True)
class GBuffer:
    """What the rays of an image met, before any colour.

    Attributes
    ----------
    depth : (H, W) float32 along the optical axis, in object diagonals
    kind : (H, W) uint8, see ``Kind``
    part : (H, W) int16 part id of object or clutter, -1 elsewhere
    position : (H, W, 3) float32 in the world
    normal : (H, W, 3) float32 unit normals in the world, towards the camera
    view : (H, W, 3) float32 the rays' directions (unit depth)
    canonical, template : (H, W, 3) float32, NaN off the object
    sun, sky : (H, W) float32 light that arrives, with cosine and shadow, in [0, 1]
    light : (3,) unit direction towards the light
    ground, backdrop : (H, W, 2) float32 coordinates within the two planes
    """

    depth: np.ndarray
    kind: np.ndarray
    part: np.ndarray
    position: np.ndarray
    normal: np.ndarray
    view: np.ndarray
    canonical: np.ndarray
    template: np.ndarray
    sun: np.ndarray
    sky: np.ndarray
    light: np.ndarray
    ground: np.ndarray
    backdrop: np.ndarray


def _livery(look: Appearance, part: int, colour: np.ndarray, at: np.ndarray) -> np.ndarray:
    """An airliner with its painted details; ``at`` (N, 3) are places on the mean shape."""
    if part == aeroplane.FIN:
        band = np.mod(at[:, 1] * 14 + 3 * at[:, 2], 1) < 0.3
        return np.where(band[:, None], look.accent, colour)
    if part != aeroplane.FUSELAGE:
        return colour
    side, height, along = np.abs(at[:, 0]), at[:, 1], at[:, 2]
    middle = _middle_height()
    stripe = (np.abs(height - middle + 0.012) < 0.006) & (along < 0.25)
    colour = np.where(stripe[:, None], look.accent, colour)
    window = (np.abs(height - middle - 0.012) < 0.005) & (np.mod(along * 45, 1) < 0.5)
    window &= (along < 0.2) & (along > -0.22) & (side > 0.01)
    screen = (along > 0.252) & (along < 0.288) & (height > middle + 0.011) & (side > 0.0015)
    return np.where((window | screen)[:, None], 0.03, colour)


def _label(look: Appearance, part: int, colour: np.ndarray, at: np.ndarray) -> np.ndarray:
    """A bottle with the print of its label: a plate and lines of text, on one side of it."""
    if part != bottle.LABEL:
        return colour
    angle = np.mod(np.arctan2(at[:, 0], at[:, 2]) + look.turn + np.pi, 2 * np.pi) - np.pi
    height = at[:, 1] - _label_middle()
    plate = (np.abs(angle) < 0.8) & (height > 0.02)
    text = (np.abs(angle) < 1.1) & (height < 0.0) & (np.mod(height * 30, 1) < 0.4)
    text &= np.mod(angle * 6 + np.floor(height * 30) * 0.37, 1) < 0.75
    colour = np.where(plate[:, None], look.accent, colour)
    return np.where(text[:, None], 0.05, colour)


_PAINT = {"aeroplane": _livery, "bottle": _label}


def _middle_height() -> float:
    """Height of the fuselage's axis on the mean shape, in canonical coordinates."""
    return _canonical_height(aeroplane.keypoints(aeroplane.MEAN), 0.0)


def _label_middle() -> float:
    """Height of the label's middle on the mean shape, in canonical coordinates."""
    middle = np.mean(bottle.LABEL_SPAN) * bottle.MEAN["body_height"]
    return _canonical_height(bottle.keypoints(bottle.MEAN), float(middle))


def _canonical_height(points: np.ndarray, height: float) -> float:
    """A height in a mean shape's own units in canonical ones, given its keypoints (K, 3)."""
    low, high = points.min(axis=0), points.max(axis=0)
    return float((height - (low[1] + high[1]) / 2) / np.linalg.norm(high - low))


def _albedo(buffer: GBuffer, look: Appearance) -> np.ndarray:
    """Linear base colours (H, W, 3)."""
    colour = np.empty((*buffer.kind.shape, 3))
    ground, backdrop = buffer.kind == Kind.GROUND, buffer.kind == Kind.BACKDROP
    colour[ground] = look.ground(buffer.ground[ground])
    colour[backdrop] = look.backdrop(buffer.backdrop[backdrop])
    for kind, textures in ((Kind.CLUTTER, look.clutter), (Kind.OBJECT, look.parts)):
        inside = buffer.kind == kind
        for part in np.unique(buffer.part[inside]):
            chosen = inside & (buffer.part == part)
            if kind == Kind.CLUTTER:
                colour[chosen] = textures[part % len(textures)](buffer.position[chosen][:, :2])
                continue
            at = buffer.template[chosen]
            colour[chosen] = textures[part](at)
            if look.category in _PAINT:
                colour[chosen] = _PAINT[look.category](look, int(part), colour[chosen], at)
    return colour


def shade(buffer: GBuffer, look: Appearance) -> np.ndarray:
    """Linear colours (H, W, 3), mostly in [0, 1].

    Lambert shading of one directional light with shadows, ambient light from above with the
    occlusion that gives contact shadows, some light from below, and a highlight on the object.
    """
    colour = _albedo(buffer, look)
    below = 0.35 + 0.15 * (1 - buffer.normal[..., 1:2])
    light = buffer.sun[..., None] * look.sun
    light = light + look.sky * (1.2 * buffer.sky[..., None] + below)
    if look.outside:
        backdrop = buffer.kind == Kind.BACKDROP
        light[backdrop] = 1.0
    colour = colour * light
    if look.gloss > 0:
        view = buffer.view / np.linalg.norm(buffer.view, axis=-1, keepdims=True)
        half = buffer.light.astype(np.float32) - view
        half /= np.maximum(np.linalg.norm(half, axis=-1, keepdims=True), 1e-6)
        shine = np.maximum(np.einsum("hwc,hwc->hw", buffer.normal, half), 0) ** 40
        shine = shine * (buffer.sun > 0.02) * (buffer.kind == Kind.OBJECT)
        colour = colour + look.gloss * shine[..., None] * look.sun
    return _shoulder(colour)


def _shoulder(colour: np.ndarray, start: float = 0.65) -> np.ndarray:
    """Bright values bent towards 1 above ``start``, as film and cameras do."""
    room = 1 - start
    return np.where(colour > start, 1 - room * np.exp(-(colour - start) / room), colour)
