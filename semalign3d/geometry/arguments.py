"""Checks of array arguments at the public borders of the geometry."""

import numpy as np
from array_api_compat import is_torch_array

from semalign3d.arrays import Array, namespace


def require_shape(name: str, array: Array, expected: tuple[int | None, ...]) -> None:
    """Refuse an array of another shape.

    Parameters
    ----------
    name
        The argument's name, for the message.
    array
        The array to check.
    expected
        The expected size of each of the last axes, `None` where any size is right. A leading
        `-1` stands for any number of further axes in front.

    Raises
    ------
    ValueError
        If the shape differs: names the argument, the expected and the found shape.
    """
    wanted = expected[1:] if expected and expected[0] == -1 else expected
    found = tuple(np.shape(array))
    free = len(wanted) < len(expected)
    tail = found[len(found) - len(wanted) :] if len(found) >= len(wanted) else None
    ok = tail is not None and (free or len(found) == len(wanted))
    ok = ok and all(w is None or w == f for w, f in zip(wanted, tail or (), strict=True))
    if not ok:
        sizes = ["..."] * free + ["any" if w is None else str(w) for w in wanted]
        raise ValueError(f"{name}: expected shape ({', '.join(sizes)}), found {found}")


def require_finite(name: str, array: Array) -> None:
    """Refuse an array that holds NaN or infinity.

    Raises
    ------
    ValueError
        Names the argument and counts the values that are not finite.
    """
    values = array if is_torch_array(array) else np.asarray(array)
    xp = namespace(values)
    bad = int(xp.sum(~xp.isfinite(values)))
    if bad:
        raise ValueError(f"{name}: expected finite values, found {bad} NaN or infinite")
