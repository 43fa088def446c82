"""The benchmark: its yardstick is a working method, its report holds what was measured."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from semalign3d.geometry.cameras import mirror_keypoints
from semalign3d.geometry.frames import similarity_procrustes
from semalign3d.maps.descriptors.geoaware import read_features
from semalign3d.maps.descriptors.post_processor import load_post_processor
from semalign3d.shape.relations.beta import fit_beta
from semalign3d.shape.relations.fitting import fit_relations
from semalign3d.shape.sparse.prior import fit_sparse
from studies.shared.synthetic_views import category, generators, symmetric_shape
from studies.speed import convolutions, report, stages
from studies.speed.chain import SNAKEMAKE, Process
from studies.speed.data import dataset, features
from studies.speed.data.scene import photograph, skeleton
from studies.speed.published import construction as published
from studies.speed.summary import growth, power_law, summarise


def relations_of(made):
    both = np.concatenate([made.points, mirror_keypoints(made.points, made.mirror)])
    images = np.tile(np.arange(len(made.points)), 2)
    return fit_relations(both, images, generators(len(both)), noise=0.02)


def test_published_construction_gives_the_same_shape():
    made = category(4, keypoints=6, pairs=2, images=10, spread=0.05, visible=1.0)
    relations = relations_of(made)
    steps = published.plan(relations)
    assert len(steps) == 4
    assert max(step.evaluations for step in steps) <= published.LIMIT
    placed = published.place(relations, steps, grid=16)
    found = published.refine(relations, placed, steps=400, rate=1e-2)
    ours = fit_sparse(relations, made.mirror).xyz
    aligned = similarity_procrustes(found, ours).apply(found)
    error = np.sqrt(np.square(aligned - ours).sum(axis=1).mean())
    assert error < 0.01
    coarse = similarity_procrustes(placed, ours).apply(placed)
    assert np.sqrt(np.square(coarse - ours).sum(axis=1).mean()) < 0.1


def test_fits_one_by_one_are_those_of_newtons_method():
    rng = np.random.default_rng(0)
    samples = [rng.beta(a, b, size=200) for a, b in ((2.0, 3.0), (8.0, 1.5))]
    alone = published.fit_one_by_one(samples)
    logs = [np.array([f(x).mean() for x in samples]) for f in (np.log, lambda x: np.log(1.0 - x))]
    together = np.stack(fit_beta(*logs), axis=1)
    assert alone == pytest.approx(together, rel=1e-4)


@pytest.mark.parametrize("visible", [0.58, 1.0])
def test_scenes_show_the_asked_share_of_the_keypoints(visible):
    rng = np.random.default_rng(0)
    mirror = np.array([1, 0, 3, 2, *range(4, 12)])
    shape = symmetric_shape(mirror, rng)
    assert np.allclose(shape[mirror], shape * [-1.0, 1.0, 1.0])
    view = photograph(shape, skeleton(shape), 0.3, visible, rng)
    assert view.visible.sum() == round(visible * 12)
    inside = (view.pixels > 0).all() and (view.pixels < [500, 375]).all()
    assert inside
    column, row = np.rint(view.pixels).astype(int).T
    assert view.mask[row, column].all()
    assert 0.01 < view.mask.mean() < 0.6
    assert view.depth[view.mask].max() < view.depth[~view.mask].min()


def test_every_offered_number_of_keypoints_is_that_of_its_category():
    found = dataset.categories()
    assert {14, 25, 30} <= set(found)
    assert len(found[30]) > 0


def test_power_law_gives_its_exponents_back():
    k, n = np.meshgrid([14.0, 25.0, 30.0], [24.0, 53.0, 106.0])
    table = np.column_stack([k.ravel(), n.ravel(), 3e-4 * k.ravel() ** 4.1 * n.ravel() ** 0.9])
    assert power_law(table) == pytest.approx((4.1, 0.9))
    a, b = power_law(table[table[:, 1] == 24.0])
    assert a == pytest.approx(4.1)
    assert math.isnan(b)


def cases():
    """Relations that take 0.5 s and 1e-5 K^3 N; one job of two images' masks."""
    made = []
    for k, n in ((14, 24), (14, 53), (25, 24)):
        before = [Process("masks", 0.1, 0.2, 50.0), Process("masks", 0.1, 0.1, 70.0)]
        seconds = 0.5 + 1e-5 * k**3 * n
        geometry = [
            [Process("relations", seconds * f, 9.0, 80.0 + f), Process(SNAKEMAKE, 2.0, 11.0, 99.0)]
            for f in (0.9, 1.0, 7.0)
        ]
        made.append(summarise(k, n, before, geometry, {}))
    return made


def test_summary_takes_medians_and_sums_of_jobs():
    first = cases()[0]
    assert list(first.stages) == ["masks", "relations"]
    assert first.stages["masks"].cpu == pytest.approx(0.2)
    assert first.stages["masks"].peak_mb == 70.0
    assert first.stages["relations"].cpu == pytest.approx(0.5 + 1e-5 * 14**3 * 24)
    assert first.peak_mb == 87.0
    assert first.sparse_cpu == first.geometry_cpu == first.stages["relations"].cpu
    assert first.geometry_wall == 11.0


def test_growth_leaves_out_the_start_and_stages_without_work():
    assert growth(cases(), {"relations": 0.5, "masks": 0.1}) == {
        "relations": pytest.approx((3.0, 1.0))
    }
    assert growth(cases(), {}) == {}


def test_tables_replace_only_what_is_between_the_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.START}\nold\n{report.END}\nafter\n")
    report.replace_between_markers(page, "new")
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "new" in text
    assert "old" not in text
    page.write_text("no markers")
    with pytest.raises(ValueError, match=r"page\.md: expected the lines"):
        report.replace_between_markers(page, "new")


def test_all_convolutions_of_the_network_are_measured(tmp_path):
    features.write_features(tmp_path / "features" / "car", dataset.stems(1))
    features.write_checkpoint(tmp_path / "net.pth")
    network = load_post_processor(tmp_path / "net.pth")
    maps = read_features(tmp_path / "features" / "car", dataset.stems(1)[0], mirrored=False)
    kernels = [kernel.shape for _, kernel in convolutions.convolution_calls(network, maps)]
    assert sorted(kernels) == sorted(p.shape for p in network.parameters() if p.ndim == 4)
    larger = convolutions.convolution_calls(network, convolutions.resized(maps))
    assert {values.shape[-2:] for values, _ in larger} == {(60, 60)}
    found = stages._module("convolutions", tmp_path / "features", "car", tmp_path / "net.pth", 1)
    assert sorted(found) == ["defined", "encoder", "small_first"]
    assert all(0.0 < seconds < 60.0 for seconds in found.values())
    line = report._convolution_line(
        {"stage": 0.4, "encoder": 0.3, "defined": 0.5, "small_first": 0.2}
    )
    assert "500 ms as it is defined, 125 % of what the stage takes" in line
    assert "take 200 ms, 50 % of the stage and 67 % of the encoder" in line


@pytest.mark.workflow
def test_benchmark_of_a_tiny_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    arguments = "--keypoints 9 --images 8 --repeat 1 --points 200 --surface-points 50 --output"
    stages.main([*arguments.split(), str(tmp_path / "out"), "--without", *stages.PARTS])
    found = json.loads((tmp_path / "out" / "benchmarks.json").read_text())
    (case,) = found["cases"]
    expected = {"checks", "descriptors", "masks", "depth", "cameras", "points", "relations"}
    assert {*expected, "sparse", "dense", "prior"} <= set(case["stages"])
    for name, cost in case["stages"].items():
        assert 0.0 < cost["cpu"] < 600.0, name
        assert 0.0 < cost["wall"] < case["geometry_wall"] * 100.0, name
        assert 20.0 < cost["peak_mb"] < 3000.0, name
    table = (tmp_path / "out" / "benchmarks.md").read_text()
    assert all(f"| {name} |" in table for name in case["stages"])
    assert (tmp_path / "out" / "benchmarks.png").stat().st_size > 10_000
    assert list(tmp_path.glob("benchmarks-*")) == []
