"""Descriptor maps: against an independent implementation, and with everything bad."""

import os

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch_devices import DEVICES

from semalign3d.errors import InputError
from semalign3d.maps.descriptors import geoaware as descriptors
from semalign3d.maps.descriptors.geoaware import DescriptorEncoder, read_features
from semalign3d.maps.descriptors.post_processor import PostProcessor, load_post_processor
from semalign3d.maps.descriptors.sources import GeoAwareFeatures

CPU = torch.device("cpu")
TOLERANCE = {"cpu": 2e-5, "cuda": 2e-3}
"""Of descriptors; convolutions on a GPU may round to TF32."""
SMALL = {"s3": (48, 12), "s4": (64, 6), "s5": (80, 3), "dino": (64, 12)}
REAL = {"s3": (640, 60), "s4": (1280, 30), "s5": (1280, 15), "dino": (768, 60)}


def random_features(sizes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(1, c, n, n, generator=generator) for name, (c, n) in sizes.items()}


def random_state(channels, hidden, outputs, seed=0):
    """A state dict with the key names of the published checkpoint."""
    generator = torch.Generator().manual_seed(seed)
    state = {"mixing_weights": torch.randn(4, generator=generator), "logit_scale": torch.ones([])}
    for i, count in enumerate(channels):
        convolutions = {
            "conv1": (hidden, count, 1),
            "conv2": (hidden, hidden, 3),
            "conv3": (outputs, hidden, 1),
        }
        if count != outputs:
            convolutions["shortcut"] = (outputs, count, 1)
        for name, (c_out, c_in, k) in convolutions.items():
            key = f"bottleneck_layers.{i}.0.{name}"
            weight = torch.randn(c_out, c_in, k, k, generator=generator)
            state[f"{key}.weight"] = weight / (c_in * k * k) ** 0.5
            state[f"{key}.norm.weight"] = 1 + 0.3 * torch.randn(c_out, generator=generator)
            state[f"{key}.norm.bias"] = 0.3 * torch.randn(c_out, generator=generator)
    return state


def straightforward(state, features):
    """METHOD.md 1.4 word by word, in double precision: resize, concatenate, then convolve."""
    state = {key: value.double() for key, value in state.items()}
    size = features["dino"].shape[-2:]
    order = ("s3", "s4", "s5", "dino")
    resized = torch.cat(
        [
            functional.interpolate(
                features[n].double(), size=size, mode="bilinear", align_corners=False
            )
            for n in order
        ],
        dim=1,
    )
    weights = torch.softmax(state["mixing_weights"], 0)
    total, start = 0, 0
    for i, name in enumerate(order):
        x = resized[:, start : start + features[name].shape[1]]
        start += features[name].shape[1]

        def layer(values, conv, key=f"bottleneck_layers.{i}.0"):
            weight = state[f"{key}.{conv}.weight"]
            out = functional.conv2d(values, weight, padding=(weight.shape[-1] - 1) // 2)
            norm = state[f"{key}.{conv}.norm.weight"], state[f"{key}.{conv}.norm.bias"]
            return functional.group_norm(out, 32, *norm)

        hidden = torch.relu(layer(x, "conv1"))
        hidden = torch.relu(layer(hidden, "conv2"))
        hidden = layer(hidden, "conv3")
        has_shortcut = f"bottleneck_layers.{i}.0.shortcut.weight" in state
        hidden = hidden + (layer(x, "shortcut") if has_shortcut else x)
        total = total + weights[i] * torch.relu(hidden)
    normalised = total / total.norm(dim=1, keepdim=True)
    return normalised[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize(
    ("sizes", "hidden", "outputs"),
    [(REAL, 192, 768), (SMALL, 32, 128), (SMALL | {"s5": (64, 17)}, 32, 64)],
    ids=["published sizes", "small", "shortcuts for some, a larger map"],
)
@pytest.mark.parametrize("device", DEVICES)
def test_post_processor_is_the_published_network(tmp_path, sizes, hidden, outputs, device):
    state = random_state([c for c, _ in sizes.values()], hidden, outputs)
    torch.save(state, tmp_path / "net.pth")
    features = random_features(sizes)
    found = DescriptorEncoder(tmp_path / "net.pth", torch.device(device)).encode(features)
    truth = straightforward(state, features)
    assert found.dtype == np.float32
    assert found.shape == truth.shape == (*features["dino"].shape[2:], outputs)
    assert np.abs(found - truth).max() < TOLERANCE[device]
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-5)


def test_several_views_at_once_and_any_memory_layout(tmp_path):
    torch.save(random_state([c for c, _ in SMALL.values()], 32, 64), tmp_path / "net.pth")
    network = load_post_processor(tmp_path / "net.pth")
    views = [random_features(SMALL, seed) for seed in (0, 1)]
    together = {name: torch.cat([view[name] for view in views]) for name in SMALL}
    alone = torch.cat([network(view) for view in views])
    assert torch.allclose(network(together), alone, atol=1e-5)
    last = {n: v.contiguous(memory_format=torch.channels_last) for n, v in together.items()}
    assert torch.allclose(network(last), alone, atol=1e-5)


def test_nothing_of_the_network_stays_behind_on_the_cpu(tmp_path):
    """The meta device computes shapes only, and refuses tensors that lie elsewhere."""
    torch.save(random_state([c for c, _ in SMALL.values()], 32, 64), tmp_path / "net.pth")
    network = load_post_processor(tmp_path / "net.pth").to("meta")
    found = network({name: value.to("meta") for name, value in random_features(SMALL).items()})
    assert found.device.type == "meta"
    assert found.shape == (1, 64, 12, 12)


def test_stored_descriptors_are_rounded_to_the_nearest_half():
    maps = [np.random.default_rng(n).normal(size=(5, 5, 7)).astype(np.float32) for n in (0, 1)]
    maps[0][0, 0] *= 1e-6
    stored = descriptors.as_stored(maps)
    assert stored.dtype == np.float16
    assert np.array_equal(stored, np.stack(maps).astype(np.float16))


def test_encoding_changes_no_input_and_repeats(tmp_path):
    torch.save(random_state([c for c, _ in SMALL.values()], 32, 64), tmp_path / "net.pth")
    features = random_features(SMALL)
    before = {name: value.clone() for name, value in features.items()}
    encoder = DescriptorEncoder(tmp_path / "net.pth", CPU)
    first = encoder.encode(features)
    assert np.array_equal(first, encoder.encode(features))
    assert all(torch.equal(features[name], before[name]) for name in features)


def test_raw_descriptors_without_a_checkpoint():
    features = random_features(SMALL)
    found = DescriptorEncoder(None, CPU).encode(features)
    s4 = functional.interpolate(features["s4"], size=(12, 12), mode="bilinear")[0].numpy()
    dino = features["dino"][0].numpy()
    cell = np.concatenate(
        [part[:, 3, 7] / np.linalg.norm(part[:, 3, 7]) for part in (s4, dino)]
    ) / np.sqrt(2)
    np.testing.assert_allclose(found[3, 7], cell, atol=1e-6)
    assert found.shape == (12, 12, 128)


def test_identity_needs_no_network(tmp_path):
    torch.save(random_state([c for c, _ in SMALL.values()], 32, 64), tmp_path / "net.pth")
    assert descriptors.identity(None) == "raw"
    one = descriptors.identity(tmp_path / "net.pth")
    torch.save(random_state([c for c, _ in SMALL.values()], 32, 64, seed=1), tmp_path / "b.pth")
    assert descriptors.identity(tmp_path / "b.pth") != one
    with pytest.raises(InputError, match=r"no such file[\s\S]*github\.com/Junyi42/GeoAware-SC"):
        descriptors.identity(tmp_path / "nothing.pth")


def test_half_precision_checkpoint_and_extra_keys(tmp_path):
    state = random_state([c for c, _ in SMALL.values()], 32, 64)
    state = {key: value.half() for key, value in state.items()} | {"optimizer.x": torch.ones(3)}
    torch.save(state, tmp_path / "net.pth")
    network = load_post_processor(tmp_path / "net.pth")
    assert isinstance(network, PostProcessor)
    assert network.channels == {name: c for name, (c, _) in SMALL.items()}
    assert all(value.dtype == torch.float32 for value in network.parameters())


def test_a_block_of_another_network_is_refused(tmp_path):
    state = random_state([c for c, _ in SMALL.values()], 32, 64)
    torch.save(state | {"bottleneck_layers.0.0.conv4.weight": torch.ones(3)}, tmp_path / "net.pth")
    with pytest.raises(InputError, match=r"weights unknown \(1\): bottleneck_layers\.0\.0\.conv4"):
        load_post_processor(tmp_path / "net.pth")
    torch.save({"logit_scale": torch.ones([])}, tmp_path / "net.pth")
    with pytest.raises(InputError, match=r"it lacks bottleneck_layers\.0[\s\S]*best_856\.PTH"):
        load_post_processor(tmp_path / "net.pth")


def test_missing_keys_are_listed(tmp_path):
    state = random_state([c for c, _ in SMALL.values()], 32, 64)
    for key in ("mixing_weights", "bottleneck_layers.2.0.shortcut.weight"):
        del state[key]
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(
        InputError, match=r"missing \(2\): bottleneck_layers\.2\.0\.shortcut.*mixing_"
    ):
        load_post_processor(tmp_path / "net.pth")


@pytest.mark.parametrize(
    "content", [[1, 2], {"state": {"a": torch.ones(1)}}, torch.ones(2), {1: torch.ones(1)}]
)
def test_what_is_no_state_dict_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "net.pth")
    with pytest.raises(InputError, match="expected a plain state dict"):
        load_post_processor(tmp_path / "net.pth")


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("bottleneck_layers.1.0.conv2.weight", (32, 16, 3, 3)),
        ("bottleneck_layers.1.0.conv1.norm.weight", (31,)),
        ("bottleneck_layers.0.0.conv1.weight", (30, 48, 1, 1)),
        ("bottleneck_layers.0.0.conv1.weight", (32,)),
        ("mixing_weights", (8,)),
    ],
)
def test_sizes_that_do_not_fit(tmp_path, key, shape):
    state = random_state([c for c, _ in SMALL.values()], 32, 64)
    torch.save(state | {key: torch.ones(shape)}, tmp_path / "net.pth")
    with pytest.raises(
        InputError, match=r"sizes do not fit: |weights of another shape.*expected \("
    ):
        load_post_processor(tmp_path / "net.pth")


def test_features_of_another_kind(tmp_path):
    torch.save(random_state([c for c, _ in SMALL.values()], 32, 64), tmp_path / "net.pth")
    features = random_features(SMALL | {"s4": (65, 6)})
    with pytest.raises(InputError, match=r"'s4': 65.*'s4': 64"):
        DescriptorEncoder(tmp_path / "net.pth", CPU).encode(features)


def test_values_that_overflow_are_an_error():
    features = random_features(SMALL)
    features["dino"][0, :, 2, 3] = 1e30
    features["s4"] *= 1e38
    with pytest.raises(InputError, match="descriptors are not finite"):
        DescriptorEncoder(None, CPU).encode(features)


def test_cells_without_features_stay_zero():
    features = {name: torch.zeros_like(value) for name, value in random_features(SMALL).items()}
    assert not DescriptorEncoder(None, CPU).encode(features).any()


@pytest.fixture
def folder(tmp_path):
    for end, seed in (("", 0), ("_flip", 1)):
        features = random_features(SMALL, seed)
        torch.save(features.pop("dino"), tmp_path / f"a_dino{end}.pt")
        torch.save(features, tmp_path / f"a_sd{end}.pt")
    return tmp_path


@pytest.mark.parametrize("mirrored", [False, True])
def test_feature_files_are_read(folder, mirrored):
    truth = random_features(SMALL, seed=int(mirrored))
    found = read_features(folder, "a", mirrored=mirrored)
    assert set(found) == set(truth)
    assert all(torch.equal(found[name], truth[name]) for name in truth)
    assert [path.name for path in descriptors.feature_files(folder, "a")] == [
        "a_dino.pt",
        "a_sd.pt",
        "a_dino_flip.pt",
        "a_sd_flip.pt",
    ]


def test_half_precision_features_are_read_as_float32(folder):
    torch.save(torch.ones(1, 64, 12, 12, dtype=torch.float16), folder / "a_dino.pt")
    assert read_features(folder, "a", mirrored=False)["dino"].dtype == torch.float32


def sd(**changes):
    features = {name: torch.ones(1, c, n, n) for name, (c, n) in SMALL.items() if name != "dino"}
    return {name: value for name, value in (features | changes).items() if value is not None}


def one_bad(value):
    features = torch.zeros(1, 64, 10, 10)
    features[0, 33, 4, 5] = value
    return features


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a_dino.pt", torch.ones(64, 12, 12), r"dino: expected shape 1 x C x G x G, found 64 x 12"),
        ("a_dino.pt", torch.ones(1, 64, 12, 11), "dino: expected shape"),
        ("a_dino.pt", torch.ones(2, 64, 12, 12), "dino: expected shape"),
        ("a_dino.pt", torch.ones(()), "found a single number"),
        ("a_dino.pt", torch.ones(1, 64, 12, 12).int(), "dense tensor of floats, found torch.int32"),
        ("a_dino.pt", torch.ones(1, 4, 2, 2).to_sparse(), "dense tensor of floats"),
        ("a_dino.pt", torch.ones(1, 4, 2, 2, dtype=torch.complex64), "dense tensor of floats"),
        ("a_dino.pt", torch.full((1, 4, 2, 2), torch.nan), "16 of 16 values are not finite"),
        ("a_dino.pt", one_bad(torch.nan), "1 of 6400 values are not finite"),
        ("a_dino.pt", one_bad(-torch.inf), "1 of 6400 values are not finite"),
        ("a_dino.pt", sd(), "dino: expected a tensor, found dict"),
        ("a_sd.pt", torch.ones(1, 4, 2, 2), "expected a dict of tensors"),
        ("a_sd.pt", sd(s4=None), "s4: missing"),
        ("a_sd.pt", sd(s5="x"), "s5: expected a tensor, found str"),
        ("a_sd.pt", sd(s3=torch.full((1, 4, 2, 2), torch.inf)), "s3: 16 of 16 values"),
        ("a_sd.pt", sd(s3=torch.ones(1, 0, 2, 2)), "s3: expected shape"),
    ],
)
def test_bad_features(folder, name, content, message):
    torch.save(content, folder / name)
    with pytest.raises(InputError, match=message) as caught:
        read_features(folder, "a", mirrored=False)
    assert name in str(caught.value)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("end", ["", "_flip"])
def test_a_single_value_that_is_not_finite_makes_no_descriptors(folder, name, end, value):
    """Also in a file that changed after the checks had looked at all of its values."""
    source = geoaware_source(folder)
    path = folder / (f"a_dino{end}.pt" if name == "dino" else f"a_sd{end}.pt")
    content = torch.load(path)
    features = content if name == "dino" else content[name]
    features.view(-1)[7] = value
    torch.save(content, path)
    with pytest.raises(InputError, match=rf"{path.name}: {name}: 1 of \d+ values are not finite"):
        source.encode("a")


def test_finite_features_that_overflow_are_an_error(folder):
    source = geoaware_source(folder)
    features = torch.load(folder / "a_dino.pt")
    torch.save(features * 1e37, folder / "a_dino.pt")
    with pytest.raises(InputError, match=r"features of a in .*descriptors are not finite"):
        source.encode("a")


def geoaware_source(folder):
    checkpoint = folder / "net.pth"
    torch.save(random_state([c for c, _ in SMALL.values()], 32, 64), checkpoint)
    return GeoAwareFeatures(str(folder.parent), folder.name, checkpoint, lambda: CPU)


def test_all_problems_of_an_image_come_together(folder):
    (folder / "a_dino_flip.pt").unlink()
    torch.save(sd(s3=None, s5=torch.ones(3)), folder / "a_sd_flip.pt")
    with pytest.raises(InputError) as caught:
        read_features(folder, "a", mirrored=True)
    assert len(caught.value.problems) == 3
    assert "a_dino_flip.pt: no such file" in caught.value.problems[0]


class Bomb:
    """Pickles to a call that leaves a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", ["a_dino.pt", "a_sd.pt"])
def test_code_in_a_feature_file_is_refused_and_not_run(folder, name, legacy):
    mark = folder / "mark"
    torch.save(sd(s3=Bomb(mark)), folder / name, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(InputError, match=rf"{name}: refused, since it holds code or objects"):
        read_features(folder, "a", mirrored=False)
    assert not mark.exists()


def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path):
    mark = tmp_path / "mark"
    torch.save({"mixing_weights": Bomb(mark)}, tmp_path / "net.pth")
    with pytest.raises(InputError, match=r"net\.pth: refused"):
        DescriptorEncoder(tmp_path / "net.pth", CPU)
    assert not mark.exists()


def test_files_that_are_not_whole(folder):
    path = folder / "a_sd.pt"
    content = path.read_bytes()
    for length in (0, 1, 10, len(content) // 2, len(content) - 30):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"a_sd\.pt"):
            read_features(folder, "a", mirrored=False)
    path.write_bytes(b"no torch file at all")
    with pytest.raises(InputError, match=r"a_sd\.pt"):
        read_features(folder, "a", mirrored=False)
