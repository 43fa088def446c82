"""The training of the demo's SAM sees what the stock SamPredictor sees."""

import numpy as np
import pytest
import torch

from demo.training import train_sam
from demo.training.train_sam import decode, equal_counts, initial_model, resized, targets


@pytest.fixture(scope="module")
def sam():
    torch.manual_seed(0)
    return initial_model().eval()


def prompts(counts, side=240, seed=0):
    """Random prompts (B, 9, 2) and their labels (B, 9): as many of 1 as `counts` says, else -1."""
    rng = np.random.default_rng(seed)
    points = torch.from_numpy(rng.uniform(0, side, (len(counts), 9, 2))).float()
    labels = torch.full((len(counts), 9), -1)
    for row, count in enumerate(counts):
        labels[row, rng.permutation(9)[:count]] = 1
    return points, labels


def test_batches_are_decoded_as_the_stock_decoder_decodes_single_images(sam):
    points, labels = prompts([3, 7, 3, 5, 7])
    groups = equal_counts(points, labels, np.random.default_rng(1), group=2)
    side = sam.image_encoder.img_size
    with torch.no_grad():
        embedding = sam.image_encoder(torch.randn(5, 3, side, side))
        masks, scores = decode(sam, embedding, groups)
        for rows, chosen in groups:
            for row, own in zip(rows, chosen, strict=True):
                ones = torch.ones(1, len(own))
                sparse, dense = sam.prompt_encoder((own[None], ones), None, None)
                found, judged = sam.mask_decoder.predict_masks(
                    image_embeddings=embedding[row : row + 1],
                    image_pe=sam.prompt_encoder.get_dense_pe(),
                    sparse_prompt_embeddings=sparse,
                    dense_prompt_embeddings=dense,
                )
                assert torch.allclose(masks[row], found[0], atol=1e-4)
                assert torch.allclose(scores[row], judged[0], atol=1e-4)


def test_groups_hold_every_image_once_with_prompts_of_its_own():
    points, labels = prompts([1, 9, 4, 4, 2, 6, 9])
    groups = equal_counts(points, labels, np.random.default_rng(2), group=3)
    assert sorted(np.concatenate([rows for rows, _ in groups])) == list(range(7))
    for rows, chosen in groups:
        fewest = int((labels[rows] > 0).sum(dim=1).min())
        assert chosen.shape == (len(rows), fewest, 2)
        for row, own in zip(rows, chosen, strict=True):
            allowed = points[row, labels[row] > 0]
            assert all((allowed == point).all(dim=1).any() for point in own)


def test_targets_are_the_whole_the_part_of_a_prompt_and_the_largest_of_them():
    part = torch.full((1, 8, 8), -1)
    part[0, 1:3, 1:3], part[0, 4:8, 4:8] = 0, 1
    found = targets(part, [(np.array([0]), torch.tensor([[[1.0, 1.0], [5.0, 5.0]]]))])[0]
    whole, first, largest = part[0] >= 0, part[0] == 0, part[0] == 1
    for mask, expected in zip(found, (whole, first, largest, whole), strict=True):
        assert torch.equal(mask, expected)


def test_weights_of_another_grid_are_resized(sam):
    state = {name: value.half() for name, value in sam.state_dict().items()}
    assert all(
        torch.allclose(value, sam.state_dict()[name], atol=1e-3)
        for name, value in resized(state, sam.state_dict()).items()
    )
    coarse = dict(state)
    coarse["image_encoder.pos_embed"] = state["image_encoder.pos_embed"][:, ::2, ::2]
    coarse["image_encoder.patch_embed.proj.weight"] = torch.ones(144, 3, 16, 16)
    found = resized(coarse, sam.state_dict())
    # A patch of one grey level answers the same at either size.
    sums = found["image_encoder.patch_embed.proj.weight"].sum(dim=(2, 3))
    assert torch.allclose(sums, torch.full_like(sums, 256.0))
    assert found["image_encoder.pos_embed"].shape == (1, 20, 20, 144)


def test_letterbox_makes_squares():
    crops = torch.tensor([[2.0, 3.0, 40.0, 30.0]])
    assert torch.equal(train_sam.letterbox(crops), torch.tensor([[2.0, 3.0, 40.0, 40.0]]))
