"""Colours, textures and light of a scene: what may change without a new ray."""

from __future__ import annotations

from colorsys import hsv_to_rgb
from dataclasses import dataclass

import numpy as np

from demo.rendering.patterns import Texture, random_waves
from demo.shapes import aeroplane, bottle, chair

CLUTTER = 8
"""Number of clutter textures of an appearance."""


@dataclass(frozen=True)
class Appearance:
    """How a scene's surfaces look.

    Attributes
    ----------
    category : decides the painted details (windows, livery, label)
    parts : one texture an object part
    clutter : textures, taken by clutter part id
    ground, backdrop : textures
    accent : (3,) colour of painted details
    sun, sky : (3,) strength of the directional and of the ambient light
    outside : whether the backdrop is a sky, which takes no light
    gloss : strength of the highlight
    noise : standard deviation of the sensor's noise, in 8-bit steps
    turn : angle round the vertical axis by which the print on a label is turned
    """

    category: str
    parts: tuple[Texture, ...]
    clutter: tuple[Texture, ...]
    ground: Texture
    backdrop: Texture
    accent: np.ndarray
    sun: np.ndarray
    sky: np.ndarray
    outside: bool
    gloss: float
    noise: float
    turn: float = 0.0


def _colour(
    rng: np.random.Generator,
    hue: tuple[float, float],
    saturation: tuple[float, float],
    value: tuple[float, float],
) -> np.ndarray:
    """A linear colour (3,) drawn from ranges of hue, saturation and (display) value."""
    rgb = hsv_to_rgb(rng.uniform(*hue) % 1.0, rng.uniform(*saturation), rng.uniform(*value))
    return np.array(rgb) ** 2.2


def _any_colour(rng: np.random.Generator, value: tuple[float, float] = (0.35, 0.95)) -> np.ndarray:
    return _colour(rng, (0.0, 1.0), (0.05, 0.75), value)


def _texture(
    rng: np.random.Generator,
    kind: str,
    first: np.ndarray,
    second: np.ndarray,
    scale: float,
    roughness: float = 0.0,
    dimensions: int = 2,
) -> Texture:
    waves = random_waves(rng, dimensions, 2.0)
    return Texture(kind, first, second, scale, waves, roughness)


def _surface(rng: np.random.Generator, kinds: list[str], scale: tuple[float, float]) -> Texture:
    """A texture for a ground, a wall or clutter: two related or contrasting colours."""
    strength = 0.55 * float(rng.uniform()) ** 1.7
    first = _colour(rng, (0.0, 1.0), (0.0, strength), (0.3, 0.88))
    contrast = rng.uniform(0.25, 0.8) if rng.uniform() < 0.5 else 1 / rng.uniform(0.4, 0.9)
    second = np.clip(first * contrast, 0.01, 0.8)
    if rng.uniform() < 0.12:
        second = _any_colour(rng)
    kind = str(rng.choice(kinds))
    return _texture(rng, kind, first, second, rng.uniform(*scale), rng.uniform(0.02, 0.12))


def _wood(rng: np.random.Generator) -> Texture:
    first = _colour(rng, (0.04, 0.11), (0.35, 0.75), (0.3, 0.85))
    return _texture(rng, "grain", first, first * rng.uniform(0.55, 0.85), 0.35, 0.04, dimensions=3)


def _solid_colour(rng: np.random.Generator, colour: np.ndarray, roughness: float = 0.03) -> Texture:
    return _texture(rng, "plain", colour, colour, 0.3, roughness, dimensions=3)


def _fabric(rng: np.random.Generator) -> Texture:
    first = _any_colour(rng, (0.3, 0.9))
    kind = str(rng.choice(["plain", "plain", "stripes", "checker", "clouds"]))
    second = _any_colour(rng) if kind != "clouds" else first * rng.uniform(0.6, 0.9)
    return _texture(rng, kind, first, second, rng.uniform(0.06, 0.16), 0.04, dimensions=3)


def _chair_parts(rng: np.random.Generator) -> tuple[Texture, ...]:
    """Textures of a chair: wood or paint for what carries, fabric or the same for the rest."""
    metal = rng.uniform() < 0.25
    carrying = (
        _solid_colour(rng, _colour(rng, (0.0, 1.0), (0.0, 0.1), (0.12, 0.75)), 0.01)
        if metal
        else (_wood(rng) if rng.uniform() < 0.65 else _solid_colour(rng, _any_colour(rng)))
    )
    soft = (
        _fabric(rng) if rng.uniform() < 0.65 else (_wood(rng) if rng.uniform() < 0.6 else carrying)
    )
    back = soft if rng.uniform() < 0.6 else (_fabric(rng) if rng.uniform() < 0.5 else carrying)
    arms = carrying if rng.uniform() < 0.7 else _wood(rng)
    textures = {"seat": soft, "back": back, "frame": carrying, "legs": carrying, "arms": arms}
    return tuple(textures[name] for name in chair.PARTS)


def _aeroplane_parts(rng: np.random.Generator) -> tuple[Texture, ...]:
    """Textures of an airliner: light body, grey or coloured wings, coloured fin."""
    body = _colour(rng, (0.0, 1.0), (0.0, 0.12), (0.75, 0.97))
    if rng.uniform() < 0.25:
        body = _any_colour(rng, (0.5, 0.95))
    grey = _colour(rng, (0.55, 0.65), (0.0, 0.1), (0.5, 0.85))
    wings = grey if rng.uniform() < 0.7 else _any_colour(rng)
    engines = body if rng.uniform() < 0.4 else _any_colour(rng)
    fin = _any_colour(rng) if rng.uniform() < 0.8 else body
    colours = {
        "fuselage": body,
        "wings": wings,
        "engines": engines,
        "tail": wings if rng.uniform() < 0.7 else fin,
        "fin": fin,
        "intake": np.full(3, 0.02),
        "gear": np.full(3, 0.05),
    }
    return tuple(_solid_colour(rng, colours[name], 0.02) for name in aeroplane.PARTS)


def _bottle_parts(rng: np.random.Generator) -> tuple[Texture, ...]:
    """Textures of a bottle: glass or plastic, a neck of the same or of foil, cap, paper."""
    tint = [(0.28, 0.4), (0.05, 0.12), (0.5, 0.62)][int(rng.integers(3))]
    glass = _colour(rng, tint, (0.2, 0.9), (0.12, 0.75))
    cap = _any_colour(rng)
    colours = {
        "body": glass,
        "neck": glass if rng.uniform() < 0.7 else cap,
        "cap": cap,
        "label": _colour(rng, (0.0, 1.0), (0.0, 0.5), (0.55, 0.95)),
    }
    return tuple(_solid_colour(rng, colours[name], 0.02) for name in bottle.PARTS)


_PARTS = {"chair": _chair_parts, "aeroplane": _aeroplane_parts, "bottle": _bottle_parts}


def _sky(rng: np.random.Generator) -> Texture:
    """A backdrop of sky: from blue above to pale below, or clouds."""
    blue = _colour(rng, (0.53, 0.65), (0.2, 0.7), (0.5, 0.95))
    pale = _colour(rng, (0.05, 0.65), (0.0, 0.25), (0.75, 0.97))
    kind = "gradient" if rng.uniform() < 0.6 else "clouds"
    return _texture(rng, kind, blue, pale, rng.uniform(0.6, 1.4), 0.02)


def random_appearance(
    category: str, rng: np.random.Generator, *, airborne: bool = False
) -> Appearance:
    """A random look for a scene of a category; ``airborne`` gives it a sky."""
    parts = _PARTS[category](rng)
    grounds = ["checker", "planks", "planks", "tiles", "clouds", "clouds", "stripes"]
    ground = _surface(rng, grounds, (0.12, 0.4))
    walls = ["plain", "plain", "tiles", "stripes", "clouds", "clouds", "checker", "planks"]
    outside = airborne or (category == "aeroplane" and rng.uniform() < 0.6)
    backdrop = _sky(rng) if outside else _surface(rng, walls, (0.15, 0.6))
    kinds = ["plain", "plain", "clouds", "stripes", "checker", "tiles"]
    sun, sky = rng.uniform(0.7, 1.1), rng.uniform(0.25, 0.5)
    warm = np.array([1.0, rng.uniform(0.88, 1.0), rng.uniform(0.75, 1.0)])
    return Appearance(
        category=category,
        parts=parts,
        clutter=tuple(_surface(rng, kinds, (0.05, 0.2)) for _ in range(CLUTTER)),
        ground=ground,
        backdrop=backdrop,
        accent=_any_colour(rng, (0.25, 0.85)),
        sun=sun * warm,
        sky=sky * np.array([rng.uniform(0.85, 1.0), 0.97, 1.0]),
        outside=outside,
        gloss=rng.uniform(0.0, 0.25),
        noise=rng.uniform(0.5, 2.5),
        turn=rng.uniform(0.0, 2 * np.pi) if category == "bottle" else 0.0,
    )
