"""Mean and variance of each channel of a map, as it is or as it would be resized."""

import functools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def channel_moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance (n, C) over the cells of (n, C, h, w).

    On the CPU by the first step of batch normalisation: where channels lie last in memory,
    `torch.var_mean` takes 25 times as long there.
    """
    if features.device.type != "cpu":
        variances, means = torch.var_mean(features, dim=(2, 3), correction=0)
        return means, variances
    of_maps = [torch.batch_norm_update_stats(one, None, None, 0.0) for one in features.split(1)]
    means, variances = (torch.stack(part) for part in zip(*of_maps, strict=True))
    return means, variances


def resized_moments(features: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """`channel_moments` of the map's bilinear resize to `size`, without making it.

    The resize is linear, R_h x R_w^T: the mean of its cells weighs the map's by the row sums of R,
    the sum of their squares is x^T (R_h^T R_h) x (R_w^T R_w) for the centred map x.
    """
    if features.shape[-2:] == tuple(size):
        return channel_moments(features)
    cells = features.permute(0, 2, 3, 1)
    (weights, products), (of_columns, between_columns) = (
        _resize_moments(before, after, features.device)
        for before, after in zip(features.shape[-2:], size, strict=True)
    )
    means = of_columns @ (weights @ cells.flatten(2)).unflatten(1, cells.shape[2:])
    centred = cells - means[:, None, None]
    rows = (products @ centred.flatten(2)).view(centred.shape)
    return means, (between_columns @ rows).mul_(centred).sum((1, 2))


@functools.cache
def _resize_moments(before: int, after: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """What a cell (before,), and what the product of two cells (before, before), counts in the mean
    over an axis of `before` cells that is resized to `after`."""
    unit = torch.eye(before, device=device)[None]
    weights = functional.interpolate(unit, after, mode="linear", align_corners=False)[0]
    return weights.mean(1), weights @ weights.T / after
