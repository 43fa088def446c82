"""The same content in the layouts of all datasets gives the same records."""

from pathlib import Path

import numpy as np
import pytest
from layouts import COUNT, SPLITS, WRITERS, make_content

from semalign3d.checks import check_category
from semalign3d.datasets import OPTIONS, load_records, open_dataset
from semalign3d.errors import InputError
from semalign3d.maps.descriptors.inspection import GeoAwareFiles

CONTENT = make_content()
BY_STEM = {image.stem: image for images in CONTENT.values() for image in images}


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory):
    base = tmp_path_factory.mktemp("layouts")
    return {name: write(base / name, CONTENT) for name, write in WRITERS.items()}


@pytest.mark.parametrize("name", WRITERS)
class TestEachLayout:
    def test_categories_and_splits(self, datasets, name: str) -> None:
        dataset = datasets[name]
        assert dataset.categories() == ("cat",)
        assert dataset.splits("cat") == SPLITS
        assert dataset.name == name.removesuffix(" pairs")
        assert dataset.remarks("cat") == ()

    def test_records(self, datasets, name: str) -> None:
        records = load_records(datasets[name], "cat", SPLITS)
        assert [record.stem for record in records] == [s for of in SPLITS.values() for s in of]
        for record in records:
            image = BY_STEM[record.stem]
            assert (record.width, record.height) == image.size
            whole = (0, 0, *image.size)
            assert record.box == (whole if name == "pf-pascal" else tuple(image.box))
            np.testing.assert_array_equal(record.keypoints[:COUNT], image.keypoints)
            assert np.isnan(record.keypoints[COUNT:]).all()
            assert record.path.is_file()
            assert record.path == datasets[name].image_path("cat", record.stem)
            assert record.notes == ()
            assert record.split in SPLITS
            assert record.stem in SPLITS[record.split]

    def test_pairs(self, datasets, name: str) -> None:
        for split, stems in SPLITS.items():
            pairs = {(p.source, p.target): p for p in datasets[name].pairs("cat", split)}
            assert set(pairs) == {(a, b) for a in stems for b in stems if a != b}
            for pair in pairs.values():
                both = [BY_STEM[stem].keypoints for stem in (pair.source, pair.target)]
                ids = np.flatnonzero(np.isfinite(np.concatenate(both, axis=1)).all(axis=1))
                assert pair.ids.tolist() == ids.tolist()
                np.testing.assert_array_equal(pair.source_keypoints, both[0][ids])
                np.testing.assert_array_equal(pair.target_keypoints, both[1][ids])
                assert pair.flags == ((0, 0, 0, 0) if name == "spair-71k" else None)
                assert pair.target_box == datasets[name].record("cat", pair.target, split).box

    def test_mirror_tables_are_involutions(self, datasets, name: str) -> None:
        mirror = datasets[name].mirror("cat")
        if name == "coco":
            assert mirror is None
            return
        assert mirror[mirror].tolist() == list(range(len(mirror)))
        names = datasets[name].keypoint_names("cat")
        for i, text in enumerate(names):
            assert names[mirror[i]] == text.replace("left", "x").replace("right", "left").replace(
                "x", "right"
            )

    def test_unknown_names_list_the_known(self, datasets, name: str) -> None:
        dataset = datasets[name]
        with pytest.raises(InputError, match=r"no category 'sofa'.*there are: cat"):
            dataset.splits("sofa")
        with pytest.raises(InputError, match=r"no category 'sofa'.*there are: cat"):
            list(dataset.pairs("sofa", "val"))
        with pytest.raises(InputError, match=r"no split 'train'.*trn, val, test"):
            list(dataset.pairs("cat", "train"))

    def test_checks_find_all_sound_but_the_features(
        self, datasets, name: str, tmp_path: Path
    ) -> None:
        report = check_category(datasets[name], "cat", ("trn",), GeoAwareFiles(tmp_path, "cat"))
        assert {found.kind for found in report.findings} == {"features", "no-prior"}
        assert report.images == {"trn": 3, "val": 2, "test": 2}
        seen = np.isfinite([image.keypoints[:, 0] for image in CONTENT["trn"]]).sum(axis=0)
        assert list(report.keypoints.values())[:COUNT] == seen.tolist()
        if name == "coco":
            assert list(report.keypoints)[3] == "3 point 3"


def test_options_of_other_datasets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"unknown dataset 'pf'; known are: spair-71k, demo, ap-10k"
    ):
        open_dataset("pf", tmp_path)
    with pytest.raises(InputError, match=r"pf-pascal has no option mirror; it has: exif, max"):
        open_dataset("pf-pascal", tmp_path, mirror="none")
    with pytest.raises(InputError, match=r"coco needs annotations"):
        open_dataset("coco", tmp_path)
    for name in OPTIONS:
        if name != "coco":
            assert open_dataset(name, tmp_path, mirror=None).root == tmp_path
