"""results/figures/{category}/prior.png: the prior from three sides."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semalign3d.figures.prior import draw_prior
from semalign3d.figures.save import save_figure
from semalign3d.pipeline.job import job
from semalign3d.prior import Prior

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    prior = Prior.load(snakemake.input[0])
    dense = prior.dense
    colors = np.full((len(prior.sparse.used), 3), 0.5)
    is_keypoint = dense.keypoint >= 0
    colors[dense.keypoint[is_keypoint]] = dense.colors[is_keypoint]
    title = (
        f"{prior.category}: {prior.sparse.used.sum()} keypoints, "
        f"{np.count_nonzero(~is_keypoint)} dense points"
    )
    figure = draw_prior(
        prior.sparse.xyz, colors, dense.xyz[~is_keypoint], dense.colors[~is_keypoint], title
    )
    save_figure(figure, snakemake.output[0])


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
