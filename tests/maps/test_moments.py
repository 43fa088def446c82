"""Moments of channels: double precision and torch's own resize as oracles."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional
from torch_devices import DEVICES

from semalign3d.maps.descriptors.moments import channel_moments, resized_moments

side = st.integers(1, 13)


def random_map(n, channels, height, width, last=True):
    generator = torch.Generator().manual_seed(height + 20 * width)
    features = torch.randn(n, channels, height, width, generator=generator)
    return features.contiguous(memory_format=torch.channels_last) if last else features


def assert_moments(found, features):
    """They are those of the features in double precision."""
    means, variances = found
    truth = features.double()
    torch.testing.assert_close(means, truth.mean((2, 3)).float(), atol=2e-6, rtol=2e-6)
    torch.testing.assert_close(
        variances, truth.var((2, 3), correction=0).float(), atol=2e-6, rtol=2e-5
    )


@settings(deadline=None, max_examples=60)
@given(n=st.integers(1, 3), channels=st.integers(1, 5), height=side, width=side, last=st.booleans())
def test_any_size_and_layout(n, channels, height, width, last):
    features = random_map(n, channels, height, width, last)
    assert_moments(channel_moments(features), features)


class Elsewhere(torch.Tensor):
    """Says that it lies on a GPU, so that the CPU goes the way of other devices."""

    device = property(lambda self: torch.device("cuda"))


def test_the_way_of_other_devices():
    features = random_map(2, 5, 7, 4)
    found = channel_moments(features.as_subclass(Elsewhere))
    assert_moments([part.as_subclass(torch.Tensor) for part in found], features)


@settings(deadline=None, max_examples=60)
@given(n=st.integers(1, 2), before=st.tuples(side, side), after=st.tuples(side, side))
def test_of_a_resized_map_without_resizing_it(n, before, after):
    features = random_map(n, 4, *before)
    resized = functional.interpolate(features.double(), after, mode="bilinear", align_corners=False)
    assert_moments(resized_moments(features, after), resized)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", [(30, 30), (60, 60)])
def test_far_from_zero_on_every_device(size, device):
    """A mean of a thousand deviations costs no more digits than its own rounding does."""
    features = random_map(1, 8, 30, 30) + 1000
    means, variances = resized_moments(features.to(device), size)
    truth = functional.interpolate(features.double(), size, mode="bilinear").var(
        (2, 3), correction=0
    )
    assert means.device.type == device
    torch.testing.assert_close(variances.cpu(), truth.float(), rtol=1e-3, atol=0)
