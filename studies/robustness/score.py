"""How far a prior is from the demo's truth.

python -m studies.robustness score results/priors/chair.h5 results/demo/truth/chair.npz
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semalign3d.prior import Prior
from studies.shared.prior_score import score_prior


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("prior", type=Path)
    parser.add_argument("truth", type=Path)
    options = parser.parse_args(arguments)
    with np.load(options.truth) as truth:
        score = score_prior(Prior.load(options.prior), dict(truth))
    handed = "right" if score.mirrored >= score.sparse - 1e-9 else "WRONG"
    print(
        f"sparse {100 * score.sparse:.2f} %, dense {100 * score.dense:.2f} % "
        f"({100 * score.there:.2f} to the surface + {100 * score.back:.2f} back) of the diagonal, "
        f"handedness {handed}, {score.unused} keypoints unused"
    )
