"""3D shape priors of object categories from annotated photos, and matches from the priors."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semalign3d.prior.prior import Prior

__all__ = ["Prior"]


def __getattr__(name: str) -> Any:
    """`semalign3d.Prior`, loaded when it is first asked for."""
    if name == "Prior":
        from semalign3d.prior.prior import Prior

        return Prior
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
