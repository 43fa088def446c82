"""Colours that show what descriptors mean: their first three principal components."""

import numpy as np

from semalign3d.geometry.arguments import require_shape

LOW_SHARE, HIGH_SHARE = 0.02, 0.98


def pca_colors(descriptors: np.ndarray) -> np.ndarray:
    """Descriptors as colours: each of the first three principal components stretched to [0, 1].

    The sign of a component is fixed by its entry of largest size being positive, so that equal
    descriptors give equal colours on any machine.

    Parameters
    ----------
    descriptors : (n, C) finite, n at least 1.

    Returns
    -------
    np.ndarray
        (n, 3) float32 RGB in [0, 1]; components that do not vary are 0.5.
    """
    require_shape("descriptors", descriptors, (None, None))
    centred = np.asarray(descriptors, dtype=np.float64)
    centred = centred - centred.mean(axis=0)
    axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :3].T
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    components = centred @ (axes * np.where(largest < 0.0, -1.0, 1.0)).T
    low, high = np.quantile(components, [LOW_SHARE, HIGH_SHARE], axis=0)
    spread = high - low
    colors = np.full((len(centred), 3), 0.5)
    varies = spread > 1e-9 * max(float(np.abs(centred).max()), 1e-30)
    shown = np.flatnonzero(varies)
    colors[:, shown] = (components[:, shown] - low[shown]) / spread[shown]
    return np.clip(colors, 0.0, 1.0).astype(np.float32)
