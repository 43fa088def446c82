"""Winograd's convolution: torch's own as the oracle, and the truths of any convolution."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from semalign3d.maps.descriptors import winograd


def random_case(n, inputs, outputs, height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(n, inputs, height, width, generator=generator)
    weight = torch.randn(outputs, inputs, 3, 3, generator=generator) / (3 * inputs**0.5)
    return features, weight


def largest_difference(features, weight):
    """From the convolution in double precision, in units of its largest value."""
    truth = functional.conv2d(features.double(), weight.double(), padding=1)
    found = winograd.convolve(features, winograd.transform(weight))
    assert found.shape == truth.shape
    assert found.is_contiguous(memory_format=torch.channels_last)
    return float((found - truth).abs().max() / truth.abs().max())


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 3),
    inputs=st.integers(1, 9),
    outputs=st.integers(1, 9),
    height=st.integers(1, 14),
    width=st.integers(1, 14),
    last=st.booleans(),
)
def test_any_size_and_layout_gives_the_direct_convolution(n, inputs, outputs, height, width, last):
    features, weight = random_case(n, inputs, outputs, height, width)
    if last:
        features = features.contiguous(memory_format=torch.channels_last)
    assert largest_difference(features, weight) < 3e-5


@pytest.mark.parametrize("offset", [0.0, 10.0], ids=["around zero", "far from zero"])
def test_rounding_of_the_published_size_stays_below_that_of_stored_descriptors(offset):
    features, weight = random_case(1, 192, 192, 60, 60)
    assert largest_difference(features.relu() + offset, weight) < 2.0**-11 / 16


def test_the_kernel_of_one_keeps_the_features():
    features, _ = random_case(2, 3, 3, 9, 7)
    weight = torch.zeros(3, 3, 3, 3)
    weight[range(3), range(3), 1, 1] = 1
    found = winograd.convolve(features, winograd.transform(weight))
    torch.testing.assert_close(found, features, atol=1e-5, rtol=0)


def test_views_at_once_are_views_one_at_a_time():
    features, weight = random_case(3, 8, 5, 11, 11)
    kernels = winograd.transform(weight)
    alone = torch.cat([winograd.convolve(view[None], kernels) for view in features])
    torch.testing.assert_close(winograd.convolve(features, kernels), alone, atol=3e-5, rtol=0)
