"""Variants of the settings of alignment and matching: single steps off, and constants around."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from semalign3d.alignment.settings import AlignmentSettings, MatchingSettings


@dataclass(frozen=True)
class Variant:
    """Settings and what is different in them."""

    name: str
    alignment: AlignmentSettings
    matching: MatchingSettings


DEFAULT = Variant("as by default", AlignmentSettings(), MatchingSettings())


def alignment(name: str, **changes: Any) -> Variant:
    """The defaults but for some settings of the alignment."""
    return replace(DEFAULT, name=name, alignment=replace(DEFAULT.alignment, **changes))


def matching(name: str, **changes: Any) -> Variant:
    """The defaults but for some settings of the matching."""
    return replace(DEFAULT, name=name, matching=replace(DEFAULT.matching, **changes))


ABLATIONS = (
    DEFAULT,
    alignment("similarity maps not scaled", standardise=False),
    alignment("one pose from the search", starts=1, candidates=1),
    alignment("no rigid refinement", rigid_steps=0),
    alignment("one pose refined freely", candidates=1),
    alignment("no free refinement", free_steps=0),
    alignment("no shape energy", shape_weight=0.0),
    alignment("no reconstruction of the object", reconstruction_weight=0.0),
    alignment("all sides alike", view_weight=0.0),
    matching("nearest point, no interpolation", interpolate=False),
    matching("no descriptors of the pair", pair=0.0),
    matching("no averaging round the peak", window=0.0),
)
"""Each term and step off in turn."""

GRID: dict[str, tuple[float, ...]] = {
    "starts": (10, 20, 40),
    "candidates": (2, 4, 8),
    "free_steps": (30, 60, 120),
    "shape_weight": (40.0, 80.0, 160.0, 320.0),
    "reconstruction_weight": (10.0, 20.0, 40.0, 80.0),
    "view_weight": (0.5, 1.0, 2.0),
    "focal_spread": (0.15, 0.3, 0.6),
    "outside": (0.25, 0.5, 1.0),
    "sigma": (0.5, 1.0, 1.5, 2.0),
    "pair": (3.0, 6.0, 12.0, 24.0),
    "window": (1.0, 2.0, 3.0),
}
"""Values that the selection tries for each constant, the others as by default."""


def around() -> list[Variant]:
    """The defaults, then each constant at the other values of `GRID`."""
    variants = [DEFAULT]
    for name, values in GRID.items():
        section = alignment if hasattr(DEFAULT.alignment, name) else matching
        current = getattr(getattr(DEFAULT, section.__name__), name)
        variants += [section(f"{name} {v:g}", **{name: v}) for v in values if v != current]
    return variants
