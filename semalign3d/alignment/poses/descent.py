"""Adam, the descent that both refinements use (Kingma and Ba, 2015)."""

import numpy as np

_MEAN, _SQUARE, _TINY = 0.9, 0.99, 1e-12


class Adam:
    """Steps along gradients, each number with its own pace, that shrink over the run.

    Parameters
    ----------
    rates : name -> size of the first steps.
    steps : of the whole run; the last ones are a tenth as large as the first.
    """

    def __init__(self, rates: dict[str, float], steps: int) -> None:
        self._rates = rates
        self._steps = steps
        self._done = 0
        self._moments: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def step(self, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What to add to each variable."""
        share = self._done / max(self._steps - 1, 1)
        pace = 0.1 + 0.45 * (1.0 + np.cos(np.pi * share))
        self._done += 1
        moves = {}
        for name, gradient in gradients.items():
            mean, square = self._moments.get(name, (np.zeros(1), np.zeros(1)))
            mean = _MEAN * mean + (1.0 - _MEAN) * gradient
            square = _SQUARE * square + (1.0 - _SQUARE) * np.square(gradient)
            self._moments[name] = (mean, square)
            corrected = square / (1.0 - _SQUARE**self._done)
            scale = pace * self._rates[name] / (1.0 - _MEAN**self._done)
            moves[name] = -scale * mean / (np.sqrt(corrected) + _TINY)
        return moves
