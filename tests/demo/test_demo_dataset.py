"""The demo's shapes, pictures and files against what is known of them."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from demo import dataset, plan
from demo.features import (
    CHANNELS,
    SIDES,
    WAVELENGTH,
    Disturbance,
    imitate,
    mirrored,
)
from demo.rendering.camera import STANDING, orbit_rotation
from demo.rendering.render import cast, keypoint_visibility, project, render
from demo.rendering.scene import random_scene
from demo.rendering.shading import Kind
from demo.shapes import VARIATION, Instance, mean_parameters, part_names, random_instance
from demo.truth import fit_similarity
from semalign3d.datasets import load_records, open_dataset
from semalign3d.datasets.mirror_tables import SPAIR, listed_ids
from semalign3d.geometry.cameras import back_project
from semalign3d.geometry.grid import cell_to_pixel, pixel_to_cell
from semalign3d.maps.descriptors.geoaware import DescriptorEncoder

SAMPLE = Path(__file__).parents[1] / "data" / "spair-sample"
CHECKPOINT = Path(dataset.__file__).parent / "networks" / "post_processor.pth"
SMALL = plan.Counts(4, 2, 2)
categories = pytest.mark.parametrize("category", plan.CATEGORIES)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    for category in plan.CATEGORIES:
        dataset.make_category(folder, category, SMALL, seed=3)
    dataset.write_layout(folder, counts=SMALL)
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def mirror_table(category: str) -> np.ndarray:
    table = np.arange(len(listed_ids(SPAIR[category])))
    for entry in SPAIR[category]:
        if isinstance(entry, tuple):
            table[list(entry)] = entry[::-1]
    return table


def surface_points(instance: Instance, count: int) -> np.ndarray:
    """Random points (N, 3) of an object's surface, ``count`` a triangle."""
    weights = np.random.default_rng(0).dirichlet(np.ones(3), size=count)
    return np.einsum("fij,wi->fwj", instance.vertices[instance.faces], weights).reshape(-1, 3)


# --- shapes ---------------------------------------------------------------------------------


@categories
def test_shapes_are_symmetric_as_the_mirror_table_says(category: str) -> None:
    flip = np.array([-1.0, 1.0, 1.0])
    for seed in range(6):
        instance = random_instance(category, np.random.default_rng(seed))
        mirrored_keypoints = (instance.keypoints * flip)[mirror_table(category)]
        np.testing.assert_allclose(mirrored_keypoints, instance.keypoints, atol=1e-12)
        gaps, _ = cKDTree(instance.vertices).query(instance.vertices * flip)
        assert gaps.max() < 1e-9
        assert np.ptp(instance.keypoints, axis=0) @ np.ptp(instance.keypoints, axis=0) == (
            pytest.approx(1.0)
        )


@categories
def test_keypoints_lie_on_the_shape_and_parts_have_names(category: str) -> None:
    instance = random_instance(category, np.random.default_rng(1))
    gaps, _ = cKDTree(surface_points(instance, 30)).query(instance.keypoints)
    assert gaps.max() < 0.03
    assert set(np.unique(instance.parts)) <= set(range(len(part_names(category))))
    np.testing.assert_allclose(np.linalg.norm(instance.normals, axis=1), 1.0, atol=1e-6)


@categories
def test_proportions_vary_by_up_to_15_percent(category: str) -> None:
    rng = np.random.default_rng(2)
    mean = mean_parameters(category)
    ratios = np.array(
        [
            [v / mean[k] for k, v in random_instance(category, rng).parameters.items()]
            for _ in range(40)
        ]
    )
    assert np.abs(ratios - 1).max() <= VARIATION
    assert np.all(ratios.max(axis=0) - ratios.min(axis=0) > VARIATION)


def test_unknown_category_is_refused() -> None:
    with pytest.raises(ValueError, match="'sofa'"):
        random_instance("sofa", np.random.default_rng(0))


# --- scenes and rays ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("azimuth", "axis"), [(0.0, (0, 0, 1)), (90.0, (1, 0, 0)), (180.0, (0, 0, -1))]
)
def test_azimuth_names_the_side_that_faces_the_camera(
    azimuth: float, axis: tuple[int, int, int]
) -> None:
    rotation = orbit_rotation(azimuth, 0.0, 0.0)
    np.testing.assert_allclose(rotation @ axis, [0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(rotation @ [0, 1, 0], [0, -1, 0], atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


@categories
def test_truth_is_consistent_with_the_camera(category: str) -> None:
    """Depth back-projected by the pose is the canonical map, the ground is where it should be."""
    scene = random_scene(category, np.random.default_rng(5), width=160, height=120)
    buffer, camera = cast(scene), scene.camera
    rows, columns = np.indices(buffer.depth.shape)
    pixels = np.stack([columns, rows], axis=-1).astype(float)
    local = back_project(pixels, buffer.depth.astype(float), (160, 120), 1 / camera.focal)
    world = (local - camera.translation) @ camera.rotation
    on_object = buffer.kind == Kind.OBJECT
    np.testing.assert_allclose(world[on_object], buffer.canonical[on_object], atol=1e-4)
    assert np.array_equal(on_object, np.isfinite(buffer.canonical[..., 0]))
    ground = buffer.kind == Kind.GROUND
    np.testing.assert_allclose(world[ground][:, 1], scene.ground.origin[1], atol=1e-3)
    gaps, _ = cKDTree(surface_points(scene.instance, 100)).query(buffer.canonical[on_object])
    assert gaps.max() < 0.05
    np.testing.assert_allclose(np.linalg.norm(buffer.normal, axis=-1), 1.0, atol=1e-4)
    assert np.all(np.einsum("hwc,hwc->hw", buffer.normal, buffer.view) <= 1e-6)


@categories
def test_scenes_show_the_whole_object_from_above_the_ground(category: str) -> None:
    rng = np.random.default_rng(11)
    for _ in range(25):
        width, height = (int(v) for v in rng.integers(90, 130, size=2))
        scene = random_scene(category, rng, width=width, height=height)
        pixels = project(scene, scene.instance.vertices)
        assert pixels.min() >= 0
        assert np.all(pixels.max(axis=0) <= [width - 1, height - 1])
        assert np.max(np.ptp(pixels, axis=0) / [width, height]) > 0.45
        assert 1.0 <= scene.camera.focal <= 2.2
        assert scene.camera.centre[1] > scene.ground.origin[1]
        buffer = cast(scene)
        assert np.all(np.isfinite(buffer.depth))
        seen = buffer.kind == Kind.OBJECT
        assert seen.mean() > 0.01
        ratio = buffer.depth.max() / buffer.depth[seen].min()
        assert 1.2 < ratio < 2.8


def test_visible_keypoints_project_onto_the_mask() -> None:
    for seed in range(6):
        category = plan.CATEGORIES[seed % len(plan.CATEGORIES)]
        scene = random_scene(category, np.random.default_rng(seed), width=240, height=180)
        picture = render(scene)
        seen = keypoint_visibility(scene, picture.canonical)
        distance = distance_transform_edt(~picture.mask)
        pixels = np.rint(project(scene, scene.instance.keypoints[seen])).astype(int)
        assert distance[pixels[:, 1], pixels[:, 0]].max() <= 3
        assert 4 <= seen.sum() <= len(seen)


def test_the_far_side_of_an_aeroplane_is_hidden() -> None:
    """Seen from its left, the right engine is behind the fuselage."""
    scene = random_scene(
        "aeroplane", np.random.default_rng(4), width=240, height=160, azimuth=90.0, elevation=8.0
    )
    seen = keypoint_visibility(scene, render(scene).canonical)
    assert seen[13]
    assert not seen[12]


# --- files ----------------------------------------------------------------------------------


@categories
def test_the_library_reads_the_dataset(root: Path, category: str) -> None:
    data = open_dataset("demo", root)
    assert data.splits(category) == plan.splits(category, SMALL)
    records = load_records(data, category, plan.SPLITS)
    for record in records:
        assert not record.notes
        assert record.path.is_file()
        assert record.visible.sum() >= 4
        assert (record.width, record.height) == plan.image_size(category, record.stem)
    pairs = [pair for split in plan.SPLITS for pair in data.pairs(category, split)]
    assert len(pairs) == sum(len(p) for p in plan.pairs(category, SMALL).values())
    assert all(len(pair.ids) >= 1 for pair in pairs)


def test_annotations_have_the_keys_of_the_real_ones(root: Path) -> None:
    for kind in ("ImageAnnotation", "PairAnnotation"):
        real = json.loads(next((SAMPLE / kind).rglob("*.json")).read_text())
        made = json.loads(next((root / kind).rglob("*.json")).read_text())
        assert set(made) == set(real)
        assert {k: type(v) for k, v in made.items()} == {k: type(v) for k, v in real.items()}


@categories
def test_annotated_keypoints_are_the_projected_truth(root: Path, category: str) -> None:
    for stem in plan.splits(category, SMALL)["trn"]:
        truth = np.load(root / "truth" / category / f"{stem}.npz")
        note = json.loads((root / "ImageAnnotation" / category / f"{stem}.json").read_text())
        local = truth["keypoints"] @ truth["rotation"].T + truth["translation"]
        size = np.array([note["image_width"], note["image_height"]])
        pixels = local[:, :2] / local[:, 2:] * truth["focal"] * size.max() + size / 2
        for index, pixel in enumerate(pixels):
            if note["kps"][str(index)] is not None:
                assert np.abs(pixel - note["kps"][str(index)]).max() <= 0.5 + 1e-6
        rows, columns = np.nonzero(truth["mask"])
        assert note["bndbox"] == [columns.min(), rows.min(), columns.max(), rows.max()]


@categories
def test_feature_files_have_the_layout(root: Path, category: str) -> None:
    stem = plan.splits(category, SMALL)["test"][0]
    total = 0
    for suffix in ("", "_flip"):
        path = root / "features" / category / f"{stem}_dino{suffix}.pt"
        dino = torch.load(path, weights_only=True)
        total += path.stat().st_size
        path = root / "features" / category / f"{stem}_sd{suffix}.pt"
        maps = torch.load(path, weights_only=True)
        total += path.stat().st_size
        for name, tensor in {"dino": dino, **maps}.items():
            assert tensor.shape == (1, CHANNELS[name], SIDES[name], SIDES[name])
            assert tensor.dtype == torch.float32
            assert torch.isfinite(tensor).all()
        assert set(maps) == {"s3", "s4", "s5"}
    assert total < 3_000_000


@categories
def test_imitated_maps_are_near_the_truth(root: Path, category: str) -> None:
    for stem in plan.splits(category, SMALL)["trn"]:
        truth = np.load(root / "truth" / category / f"{stem}.npz")
        depth = np.load(root / "depth" / category / f"{stem}_depth.npy")
        mask = truth["mask"]
        x, y = depth[mask].astype(float), 1.0 / truth["depth"][mask].astype(float)
        slope, shift = np.polyfit(x, y, 1)
        assert slope > 0
        error = np.abs(slope * x + shift - y).mean() / np.ptp(y)
        assert 0.005 < error < 0.05
        assert depth.min() >= 0
        guess = dataset.imitated_mask(mask, np.random.default_rng(0))
        assert 0.85 < (guess & mask).sum() / (guess | mask).sum() < 1


@categories
def test_category_truth(root: Path, category: str) -> None:
    truth = np.load(root / "truth" / f"{category}.npz")
    stems = [s for split in plan.splits(category, SMALL).values() for s in split]
    assert truth["stems"].tolist() == stems
    np.testing.assert_allclose(truth["keypoints"], truth["instance_keypoints"][:4].mean(axis=0))
    assert truth["surface"].shape == (20_000, 3)
    gaps, _ = cKDTree(truth["surface"]).query(truth["keypoints"])
    assert gaps.max() < 0.04
    seen = truth["surface_seen"]
    assert 0.4 < seen.mean() < 1
    if category == "chair":
        lowest = truth["surface"][seen][:, 1].min()
        assert lowest < truth["keypoints"][4, 1] + 0.03


def test_files_depend_on_seed_and_names_only(tmp_path: Path) -> None:
    counts = plan.Counts(2, 2, 2)
    for name, processes in (("one", 1), ("two", 2)):
        dataset.make_category(tmp_path / name, "chair", counts, 0, processes=processes)
    one, two = digests(tmp_path / "one"), digests(tmp_path / "two")
    assert one == two
    assert not any(Path(name).name.startswith(".") for name in one)
    first, other = (dataset.make_scene("chair", "chair_000", seed) for seed in (0, 1))
    assert not np.array_equal(first.instance.keypoints, other.instance.keypoints)


@categories
def test_training_views_go_all_round(category: str) -> None:
    views = [dataset.viewpoint(category, s, 0) for s in plan.splits(category)["trn"]]
    azimuths = np.sort([azimuth for azimuth, _ in views])
    if category == "bottle":
        assert not azimuths.any()
    else:
        gaps = np.diff(np.append(azimuths, azimuths[0] + 360))
        assert gaps.max() < 40
    elevations = [elevation for _, elevation in views]
    assert np.ptp(elevations) > 30
    assert category == "aeroplane" or min(elevations) >= STANDING


def test_a_bottle_is_annotated_at_its_outline() -> None:
    """Left and right ids on the viewer's left and right, near the outermost pixels of a row."""
    rng = np.random.default_rng(8)
    for elevation in (5.0, 15.0):
        scene = random_scene("bottle", rng, width=240, height=320, azimuth=0.0, elevation=elevation)
        mask = cast(scene).kind == Kind.OBJECT
        for x, y in project(scene, scene.instance.keypoints[4:8]):
            columns = np.flatnonzero(mask[round(float(y))])
            gap = min(abs(x - columns[0]), abs(x - columns[-1]))
            assert gap < 0.1 * np.ptp(columns)
        pixels = project(scene, scene.instance.keypoints)
        assert np.all(pixels[0::2, 0] < pixels[1::2, 0])


# --- features -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def template() -> np.ndarray:
    scene = random_scene(
        "chair", np.random.default_rng(2), width=240, height=240, azimuth=40.0, elevation=20.0
    )
    return cast(scene).template


def _cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = (m / np.linalg.norm(m, axis=0, keepdims=True) for m in (a, b))
    return (a * b).sum(axis=0)


def test_flipped_features_are_those_of_the_mirrored_object(template: np.ndarray) -> None:
    """Blind channels can't tell a chair from its mirror image; the others differ with the side.

    Random Fourier features with Gaussian frequencies of deviation w have the cosine
    exp(-(w d)^2 / 2) at distance d: here between a point and its mirror image.
    """
    on_object = np.abs(template[2::4, 2::4, 0])
    cosines = {}
    for blind in (0.0, 1.0):
        clean = Disturbance(blind=blind, noise=0.0, offset=0.0)
        maps = imitate(template, clean, np.random.default_rng(0))
        flipped = imitate(mirrored(template), clean, np.random.default_rng(1))
        cosines[blind] = _cosines(maps["dino"], flipped["dino"][:, :, ::-1])
    frequency = np.pi / 2 / WAVELENGTH["dino"]
    expected = np.exp(-((frequency * 2 * on_object) ** 2) / 2)
    inside = np.isfinite(on_object)
    assert np.median(cosines[1.0][inside]) > 0.95
    assert np.median(np.abs(cosines[0.0] - expected)[inside]) < 0.15


def test_mirroring_twice_gives_the_same(template: np.ndarray) -> None:
    np.testing.assert_array_equal(mirrored(mirrored(template)), template)


def _nearest_neighbour_pck(category: str, alpha: float) -> float:
    """Share of the test pairs' keypoints that nearest neighbours on the cell grid find."""
    encoder = DescriptorEncoder(CHECKPOINT, "cpu")
    known = []
    for stem in plan.splits(category)["test"]:
        scene = dataset.make_scene(category, stem, 0)
        picture = render(scene)
        maps = dataset.image_features(category, stem, 0, picture.template)[""]
        features = {name: torch.from_numpy(values)[None] for name, values in maps.items()}
        pixels = np.rint(project(scene, scene.instance.keypoints))
        rows, columns = np.nonzero(picture.mask)
        side = max(np.ptp(rows), np.ptp(columns))
        seen = keypoint_visibility(scene, picture.canonical)
        known.append((encoder.encode(features), picture.mask.shape[::-1], pixels, seen, side))
    hits = []
    for source in known:
        for target in known:
            if source is target:
                continue
            shared = source[3] & target[3]
            cells = pixel_to_cell(source[2][shared], source[1], 60)
            queries = source[0][cells[:, 1], cells[:, 0]]
            best = (queries @ target[0].reshape(3600, -1).T).argmax(axis=1)
            found = cell_to_pixel(np.stack([best % 60, best // 60], axis=1), target[1], 60)
            hits.append(np.linalg.norm(found - target[2][shared], axis=1) <= alpha * target[4])
    return float(np.concatenate(hits).mean())


@categories
def test_nearest_neighbours_alone_match_badly(category: str) -> None:
    """The band that the default demo promises: 55 to 75 % PCK@0.1 on test pairs."""
    assert 0.55 <= _nearest_neighbour_pck(category, 0.1) <= 0.75


def test_similarity_fit_recovers_a_known_one() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(9, 3))
    rotation = orbit_rotation(30.0, 20.0, 10.0)
    scale, turn, shift = fit_similarity(points, 1.7 * points @ rotation.T + [1, 2, 3])
    assert scale == pytest.approx(1.7)
    np.testing.assert_allclose(turn, rotation, atol=1e-12)
    np.testing.assert_allclose(shift, [1, 2, 3], atol=1e-12)
