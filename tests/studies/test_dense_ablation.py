"""The rows of the table of dense fusion's steps."""

import numpy as np
from synthetic_surfaces import NOISE, noisy_sphere

from studies.dense.ablation import STEPS, Fusion

OPTIONS = {"points": 200, "outliers": 3.0, "smoothing": 0.03}


def test_the_last_step_moves_points_onto_the_surface() -> None:
    keypoints = np.array([[0.3, 0.0, 0.0], [np.nan] * 3])
    gaps = []
    for step in STEPS:
        rng = np.random.default_rng(0)
        cloud = noisy_sphere()
        points = step.draw(Fusion(cloud, np.zeros(len(cloud)), keypoints, OPTIONS, rng))
        assert points.shape == (200, 3)
        gaps.append(np.abs(np.linalg.norm(points, axis=1) - 0.3).mean())
    assert gaps[-1] < 0.5 * NOISE
    assert gaps[-1] < 0.5 * gaps[-4]
    assert [(step.pulled, step.silhouettes) for step in STEPS[-3:]] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    assert STEPS[-1].refined
    assert STEPS[-1].tolerance is None
