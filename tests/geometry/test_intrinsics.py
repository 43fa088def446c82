"""Intrinsics and depth without offset that come with the depth maps, against analytic scenes."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from semalign3d.datasets.records import ImageRecord
from semalign3d.errors import InputError
from semalign3d.files import store
from semalign3d.files.records import read_record, write_record
from semalign3d.geometry.cameras import mirror_keypoints, mirror_pixels, project
from semalign3d.geometry.frames import canonical_frame
from semalign3d.geometry.intrinsics import pinhole
from semalign3d.maps.depth.depth_anything import DepthMap, depth_file, intrinsics_file
from semalign3d.maps.depth.sources import DepthFiles, depth_files, open_depth
from semalign3d.shape.bundle.model import LOG_C, LOG_K
from semalign3d.shape.bundle.objective import BundleObjective
from semalign3d.shape.bundle.refinement import Bundle, refine, refined_cameras
from semalign3d.shape.bundle.settings import BundleSettings
from semalign3d.shape.bundle.suspects import check_annotations
from semalign3d.shape.cameras.estimation import AnnotatedView, Cameras, estimate_cameras
from semalign3d.shape.sparse.energy import EnergyTerms
from semalign3d.shape.sparse.prior import SparseShape
from studies.shared.synthetic_views import mirror_table, rotation, symmetric_shape

MIRROR = mirror_table(9, 4)
COUNT = 10
RNG = np.random.default_rng(3)
SHAPE = canonical_frame(symmetric_shape(MIRROR, RNG), np.ones(9, dtype=bool), MIRROR).apply(
    symmetric_shape(MIRROR, np.random.default_rng(3))
)
SIZES = [(int(w), int(h)) for w, h in RNG.integers(200, 280, size=(COUNT, 2))]
FOCAL = RNG.uniform(0.9, 1.6, size=COUNT)
"""In units of the longest side."""
CENTRES = [np.array(size) * RNG.uniform(0.4, 0.6, size=2) for size in SIZES]


def placed(number: int) -> np.ndarray:
    """The shape (K, 3) in camera coordinates of a photo."""
    turn = rotation(0.63 * number, 0.1 + 0.07 * number)
    return SHAPE @ turn.T + [0.02 * number - 0.1, 0.05, 2.0 + 0.1 * number]


def depth_at(number: int, pixels: np.ndarray) -> np.ndarray:
    """An inverse depth map (H, W) that is exact at the keypoints' pixels (K, 2)."""
    inverse = np.full(SIZES[number][::-1], 0.1)
    x, y = np.rint(pixels).astype(int).T
    inverse[y, x] = 1.0 / placed(number)[:, 2]
    assert np.count_nonzero(inverse != 0.1) == len(pixels)
    return inverse


def exact_view(number: int) -> AnnotatedView:
    """What a camera of its own focal length and principal point sees; depth is exact."""
    size, centre, points = SIZES[number], CENTRES[number], placed(number)
    focal = FOCAL[number] * max(size)
    pixels = project(points, size, 1.0 / FOCAL[number], centre)
    return AnnotatedView(
        stem=f"image_{number}",
        size=size,
        keypoints=pixels,
        mask=np.ones(size[::-1], dtype=bool),
        inverse_depth=depth_at(number, pixels),
        depth_offset=0.0,
        intrinsics=np.array([focal, focal, *centre]),
    )


VIEWS = [exact_view(number) for number in range(COUNT)]


def cameras_of(views: list[AnnotatedView]) -> Cameras:
    return estimate_cameras(views, MIRROR, erosion_iterations=0)


def scaled_truth(number: int) -> np.ndarray:
    """The nearest point of the map has z = 1, here the nearest keypoint."""
    points = placed(number)
    return points / points[:, 2].min()


def start() -> SparseShape:
    rough = SHAPE + 0.02 * np.random.default_rng(0).normal(size=SHAPE.shape)
    return SparseShape(rough, np.ones(9, dtype=bool), ("",) * 9, EnergyTerms(0, 0, 0, 0, 0), 0.0)


@pytest.fixture(scope="module")
def found() -> Bundle:
    return refine(cameras_of(VIEWS), start(), MIRROR)


def test_exact_intrinsics_and_depth_give_the_true_points() -> None:
    cameras = cameras_of(VIEWS)
    np.testing.assert_allclose(cameras.p, 1.0 / FOCAL, rtol=1e-12)
    assert np.array_equal(cameras.p_given, cameras.p)
    assert np.array_equal(cameras.depth_offset, np.zeros(COUNT))
    for number in range(COUNT):
        np.testing.assert_allclose(cameras.keypoints_xyz[number], scaled_truth(number), rtol=1e-9)
        relative = VIEWS[number].inverse_depth / VIEWS[number].inverse_depth.max()
        np.testing.assert_allclose(cameras.depth(number, VIEWS[number].inverse_depth), 1 / relative)


def test_refinement_holds_what_is_given_and_finds_the_rest(found: Bundle) -> None:
    cameras = cameras_of(VIEWS)
    assert np.array_equal(found.p, cameras.p)
    assert np.array_equal(found.depth_offset, np.zeros(COUNT))
    assert np.allclose(found.xyz, SHAPE, atol=1e-4)
    assert np.nanmax(np.abs(found.reprojection)) < 1e-4
    assert np.nanmax(np.abs(found.depth_residual)) < 1e-4
    refined = refined_cameras(cameras, found)
    for number in range(COUNT):
        np.testing.assert_allclose(refined.keypoints_xyz[number], scaled_truth(number), rtol=1e-9)
        prior = found.scale[number] * found.xyz @ found.rotation[number].T
        assert np.allclose(prior + found.translation[number], scaled_truth(number), atol=1e-3)


def test_intrinsics_wait_for_refinement_where_the_depth_offset_is_open() -> None:
    """Inverse depth of an unknown scale and offset: the slope's depth asks for another p."""
    views = []
    for view in VIEWS:
        affine = view.inverse_depth / view.inverse_depth.max() * 0.8 + 0.2
        unknown = (affine - affine.min()) / (affine.max() - affine.min())
        views.append(dataclasses.replace(view, inverse_depth=unknown, depth_offset=np.nan))
    cameras, none = (
        cameras_of(seen)
        for seen in (views, [dataclasses.replace(view, intrinsics=None) for view in views])
    )
    np.testing.assert_allclose(cameras.p_given, 1.0 / FOCAL, rtol=1e-12)
    assert np.median(np.abs(np.log(cameras.p * FOCAL))) > 0.05
    assert np.array_equal(np.isnan(none.p_given), np.ones(COUNT, dtype=bool))
    refined = refine(cameras, start(), MIRROR, BundleSettings(offset_spread=1e4))
    assert np.array_equal(refined.p, cameras.p_given)
    assert np.allclose(refined.xyz, SHAPE, atol=1e-3)


def test_annotations_are_expected_round_the_given_principal_point(found: Bundle) -> None:
    check = check_annotations(cameras_of(VIEWS), found, MIRROR)
    truth = np.stack([view.keypoints for view in VIEWS])
    assert np.allclose(check.expected_px, truth, atol=0.1)


def test_images_without_intrinsics_beside_images_with_them() -> None:
    views = [
        view if number < 7 else dataclasses.replace(view, intrinsics=None)
        for number, view in enumerate(VIEWS)
    ]
    for number in range(7, COUNT):
        centre = np.array(SIZES[number]) / 2.0
        pixels = project(placed(number), SIZES[number], 1.0 / FOCAL[number], centre)
        views[number] = dataclasses.replace(
            VIEWS[number],
            intrinsics=None,
            keypoints=pixels,
            inverse_depth=depth_at(number, pixels),
        )
    cameras = cameras_of(views)
    assert np.array_equal(np.isfinite(cameras.p_given), np.arange(COUNT) < 7)
    np.testing.assert_allclose(cameras.p[:7], 1.0 / FOCAL[:7], rtol=1e-12)
    np.testing.assert_allclose(cameras.p[7:], 1.0 / FOCAL[7:], rtol=0.05)
    refined = refine(cameras, start(), MIRROR, BundleSettings(focal_spread=1e4))
    assert np.array_equal(refined.p[:7], cameras.p[:7])
    np.testing.assert_allclose(refined.p[7:], 1.0 / FOCAL[7:], rtol=2e-3)


def mirrored(view: AnnotatedView) -> AnnotatedView:
    assert view.intrinsics is not None
    width = view.size[0]
    principal = mirror_pixels(view.intrinsics[2:], width)
    return dataclasses.replace(
        view,
        keypoints=mirror_pixels(view.keypoints, width)[MIRROR],
        inverse_depth=view.inverse_depth[:, ::-1],
        intrinsics=np.concatenate([view.intrinsics[:2], principal]),
    )


def test_a_mirror_image_has_its_principal_point_mirrored() -> None:
    plain, flipped = cameras_of(VIEWS), cameras_of([mirrored(view) for view in VIEWS])
    assert np.allclose(flipped.keypoints_xyz, mirror_keypoints(plain.keypoints_xyz, MIRROR))


def test_gradient_with_given_numbers() -> None:
    given = np.arange(COUNT) % 2 == 0
    cameras = cameras_of(VIEWS)
    half = dataclasses.replace(
        cameras,
        p_given=np.where(given, cameras.p, np.nan),
        depth_offset=np.where(given[::-1], 0.0, np.nan),
    )
    problem = BundleObjective(half, start(), MIRROR, BundleSettings())
    place = np.concatenate([problem.free.ravel(), problem.numbers.ravel()])
    place += 0.02 * np.random.default_rng(1).normal(size=place.size)
    numeric = approx_fprime(place, lambda flat: problem(flat)[0], 1e-7)
    slope = problem(place)[1]
    assert np.allclose(slope, numeric, rtol=1e-4, atol=1e-2)
    by_number = slope[problem.free.size :].reshape(COUNT, -1)
    assert np.array_equal(by_number[:, LOG_K] == 0.0, given)
    assert np.array_equal(by_number[:, LOG_C] == 0.0, given[::-1])


def test_curvature_with_given_numbers_is_that_of_fewer_unknowns() -> None:
    """Residuals have the derivatives of finite differences by the free numbers alone."""
    cameras = cameras_of(VIEWS)
    settings = BundleSettings(degrees=1e12)
    problem = BundleObjective(cameras, start(), MIRROR, settings)
    basis = np.eye(27).reshape(9, 3, 27)
    found = problem.curvature(problem.free, problem.numbers, basis)
    free = [0, 1, 2, 3, 4, 5, 7]
    shape = problem.shape.expand(problem.free)

    def residuals(changes: np.ndarray, xyz: np.ndarray) -> np.ndarray:
        numbers = problem.numbers.copy()
        numbers[:, free] += changes
        values = problem.model.residuals(xyz, problem.given.complete(numbers)).values
        return np.asarray(values).reshape(COUNT, -1)

    step = 1e-6
    by_number = np.stack(
        [
            (residuals(step * e, shape) - residuals(-step * e, shape)) / (2 * step)
            for e in np.eye(7)
        ],
        axis=2,
    )
    by_shape = np.stack(
        [
            (residuals(np.zeros(7), shape + d) - residuals(np.zeros(7), shape - d)) / (2 * step)
            for d in step * np.moveaxis(basis, 2, 0)
        ],
        axis=2,
    )
    mixed = by_number.mT @ by_shape
    schur = by_shape.mT @ by_shape - mixed.mT @ np.linalg.solve(by_number.mT @ by_number, mixed)
    assert np.allclose(found.second, schur, atol=1e-5 * np.abs(schur).max())


def test_given_focal_lengths_count_among_those_that_are_learnt_and_no_offset_does_not() -> None:
    problem = BundleObjective(cameras_of(VIEWS), start(), MIRROR, BundleSettings())
    learnt = problem.informed(*problem.solve()).priors
    assert learnt.centre[0] == pytest.approx(problem.priors.centre[0], abs=1e-3)
    given = -np.log(FOCAL)
    square = (np.square(given - given.mean()).sum() + 0.5**2) / (COUNT + 1)
    assert learnt.centre[1] == pytest.approx(given.mean(), abs=0.01)
    assert learnt.spread[1] == pytest.approx(np.sqrt(square), rel=0.02)


SIZE = (640, 480)


@pytest.mark.parametrize(
    ("intrinsics", "message"),
    [
        ((np.nan, 700, 320, 240), "expected finite fx, fy, cx, cy, found nan, 700, 320, 240"),
        ((700, np.inf, 320, 240), "expected finite fx, fy, cx, cy"),
        ((1.1, 1.1, 0.5, 0.4), "expected focal lengths of 64 to 64000 pixels, found 1.1, 1.1"),
        ((-700, 700, 320, 240), "expected focal lengths"),
        ((700, 900, 320, 240), "expected square pixels.* found 700, 900"),
        (
            (700, 700, 900, 240),
            "expected a principal point inside .* 640 x 480 pixels, found 900, 240",
        ),
    ],
)
def test_intrinsics_that_make_no_sense(
    tmp_path: Path, intrinsics: tuple[float, ...], message: str
) -> None:
    values = np.array(intrinsics, dtype=np.float64)
    with pytest.raises(ValueError, match=f"intrinsics: {message}"):
        pinhole(values, SIZE)
    write_files(tmp_path, matrix(values))
    with pytest.raises(InputError, match=message) as caught:
        DepthFiles(tmp_path).encode(RECORD)
    assert "a_intrinsics.npy: unusable" in str(caught.value)
    odd = dataclasses.replace(VIEWS[3], intrinsics=values / 640 * max(SIZES[3]))
    cameras = cameras_of([*VIEWS[:3], odd, *VIEWS[4:]])
    assert cameras.excluded == ("image_3",)
    assert "its intrinsics make no sense" in cameras.reasons[0]


def test_slightly_unequal_focal_lengths_are_averaged() -> None:
    camera = pinhole(np.array([700.0, 735.0, 300.0, 250.0]), SIZE)
    assert 640 / camera.p == pytest.approx(np.sqrt(700 * 735))
    assert camera.principal.tolist() == [300, 250]


def test_depth_without_end_on_the_object_leaves_the_image_out() -> None:
    inverse = VIEWS[2].inverse_depth.copy()
    inverse[5, 5] = 0.0
    odd = dataclasses.replace(VIEWS[2], inverse_depth=inverse)
    cameras = cameras_of([odd, *VIEWS[3:]])
    assert cameras.excluded == ("image_2",)
    assert "inverse depth is 0" in cameras.reasons[0]
    mask = odd.mask.copy()
    mask[5, 5] = False
    beside = cameras_of([dataclasses.replace(odd, mask=mask), *VIEWS[3:]])
    np.testing.assert_allclose(beside.keypoints_xyz[0], scaled_truth(2), rtol=1e-9)
    assert np.isinf(beside.depth(0, inverse)[5, 5])


RECORD = ImageRecord("chair", "a", "trn", Path("a.jpg"), *SIZE, (0, 0, 9, 9), np.zeros((1, 2)))
GOOD = np.array([700.0, 710.0, 300.0, 250.0])


def matrix(values: np.ndarray) -> np.ndarray:
    fx, fy, cx, cy = values
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])


def write_files(root: Path, camera: np.ndarray | None) -> None:
    depth_file(root, "chair", "a").parent.mkdir(exist_ok=True)
    np.save(depth_file(root, "chair", "a"), np.linspace(0, 1, 640 * 480).reshape(480, 640))
    if camera is not None:
        np.save(intrinsics_file(root, "chair", "a"), camera)


def test_intrinsics_beside_depth_files(tmp_path: Path) -> None:
    write_files(tmp_path, None)
    plain = DepthFiles(tmp_path)
    before = plain.made_from(RECORD)
    assert plain.encode(RECORD).intrinsics is None
    assert np.isnan(plain.encode(RECORD).offset)
    write_files(tmp_path, matrix(GOOD))
    assert plain.encode(RECORD).intrinsics.tolist() == GOOD.tolist()
    assert plain.made_from(RECORD) != before
    assert len(depth_files(tmp_path, "chair", "a")) == 2
    metric = open_depth("files", str(tmp_path), lambda: None, metric=True)
    assert metric.encode(RECORD).offset == 0.0
    assert metric.recipe != plain.recipe
    with store.create(tmp_path / "a.h5") as file:
        write_record(file, metric.encode(RECORD), compress=True)
    again = read_record(tmp_path / "a.h5", DepthMap)
    assert (again.offset, again.confidence) == (0.0, None)
    assert again.intrinsics.tolist() == GOOD.tolist()


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        (GOOD, "expected a 3 x 3 camera matrix in pixels, found float64 4"),
        (matrix(GOOD).astype(str), "expected a 3 x 3 camera matrix"),
        (matrix(GOOD).T, r"expected \[\[fx, 0, cx\], \[0, fy, cy\], \[0, 0, 1\]\], found"),
        (matrix(GOOD) / 2, r"expected \[\[fx, 0, cx\]"),
        (matrix(GOOD) + np.diag([3.0, 0.0], 1)[:3, :3], r"expected \[\[fx, 0, cx\]"),
        (matrix(GOOD) * [[1, np.nan, 1], [1, 1, 1], [1, 1, 1]], r"expected \[\[fx, 0, cx\]"),
    ],
)
def test_files_that_hold_no_camera_matrix(tmp_path: Path, camera: np.ndarray, message: str) -> None:
    write_files(tmp_path, camera)
    with pytest.raises(InputError, match=message) as caught:
        DepthFiles(tmp_path).encode(RECORD)
    assert "chair/a_intrinsics.npy" in str(caught.value)
