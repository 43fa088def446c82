"""PCK, the percentage of correct keypoints, with bootstrap intervals over images (METHOD.md 11)."""

from dataclasses import dataclass

import numpy as np

from semalign3d.geometry.arguments import require_shape

LEVEL = 0.95
AVERAGES = ("point", "image")


@dataclass(frozen=True)
class PairHits:
    """How many queries of each pair were matched correctly.

    Attributes
    ----------
    sources, targets : (P,) int64, numbers of the pair's images, from 0 to `images` - 1.
    images : number of images.
    points : (P,) int64, queries of the pair, at least 1.
    hits : (P, A) int64, how many are right at each of A thresholds (or of whatever else).
    """

    sources: np.ndarray
    targets: np.ndarray
    images: int
    points: np.ndarray
    hits: np.ndarray


@dataclass(frozen=True)
class Sums:
    """Numerators and denominators of PCK over pairs: the estimate first, then B resamples.

    Attributes
    ----------
    hits : average -> (1 + B, A).
    weights : average -> (1 + B, 1).
    """

    hits: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]


def box_side(box: tuple[float, float, float, float]) -> float:
    """The longer side of a box (x1, y1, x2, y2), in pixels: PCK's unit."""
    return max(box[2] - box[0], box[3] - box[1])


def relative_errors(predicted: np.ndarray, truth: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Distances (n,) of predicted from true pixels, both (n, 2), in units of `side` (n,).

    A match is right at alpha if its error is at most alpha.
    """
    require_shape("predicted", predicted, (-1, 2))
    require_shape("truth", truth, predicted.shape)
    return np.asarray(np.linalg.norm(predicted - truth, axis=-1) / side)


def pair_hits(
    pairs: np.ndarray, sources: np.ndarray, targets: np.ndarray, right: np.ndarray
) -> PairHits:
    """Count right matches a pair.

    Parameters
    ----------
    pairs, sources, targets : (n,) names of each query's pair and images.
    right : (n, A) bool.
    """
    require_shape("right", right, (len(pairs), None))
    _, first, pair = np.unique(pairs, return_index=True, return_inverse=True)
    images = np.unique(np.concatenate([sources, targets]))
    hits = np.zeros((len(first), right.shape[1]), dtype=np.int64)
    np.add.at(hits, pair, right.astype(np.int64))
    return PairHits(
        sources=np.searchsorted(images, sources[first]),
        targets=np.searchsorted(images, targets[first]),
        images=len(images),
        points=np.bincount(pair, minlength=len(first)),
        hits=hits,
    )


def resampled_sums(found: PairHits, count: int, rng: np.random.Generator) -> Sums:
    """Sums over all pairs, and over the pairs of `count` resamples of the images.

    Images are drawn with replacement, and a pair counts as often as both its images were drawn
    together: pairs share images, so that drawing pairs would make the intervals too narrow.

    Parameters
    ----------
    found : of one category.
    count : number of resamples B.
    rng : source of the draws.
    """
    share = np.full(found.images, 1.0 / max(found.images, 1))
    drawn = rng.multinomial(found.images, share, size=count)
    images = np.concatenate([np.ones((1, found.images)), drawn])
    weights = images[:, found.sources] * images[:, found.targets]
    return Sums(
        hits={
            "point": weights @ found.hits,
            "image": weights @ (found.hits / found.points[:, None]),
        },
        weights={"point": weights @ found.points[:, None], "image": weights.sum(axis=1)[:, None]},
    )


def pck(sums: Sums, average: str) -> np.ndarray:
    """PCK (1 + B, A) in [0, 1]: per point, or per image (mean over pairs); NaN without any pair."""
    weights = sums.weights[average]
    return np.where(weights > 0, sums.hits[average] / np.maximum(weights, 1e-300), np.nan)


def pooled(parts: list[Sums]) -> Sums:
    """Sums over several categories, whose images are resampled independently."""
    return Sums(
        hits={name: np.sum([part.hits[name] for part in parts], axis=0) for name in AVERAGES},
        weights={name: np.sum([part.weights[name] for part in parts], axis=0) for name in AVERAGES},
    )


def interval(values: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Estimate, lower and upper end, each (A,), of (1 + B, A): percentiles of the resamples.

    Resamples without any pair are left out; without any other the ends are NaN.
    """
    resampled = values[1:][np.isfinite(values[1:]).all(axis=1)]
    if len(resampled) == 0:
        nothing = np.full(values.shape[1], np.nan)
        return values[0], nothing, nothing
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(resampled, [tail, 1.0 - tail], axis=0)
    return values[0], low, high
