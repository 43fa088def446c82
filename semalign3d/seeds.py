"""Random generators that depend on a seed and on names only."""

import hashlib
import json

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """Make the random generator of one purpose.

    The stream depends on `seed` and `names` only: not on the order of calls, the number of
    workers, the process or the machine.

    Parameters
    ----------
    seed : the configuration's seed, any integer.
    names : what the numbers are for, e.g. the stage, the category and the image.
    """
    text = json.dumps([int(seed), *names])
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
