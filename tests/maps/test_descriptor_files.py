"""Descriptor maps of any encoder: the same from arrays and from one HDF5 file."""

import h5py
import numpy as np
import pytest

from semalign3d.errors import InputError
from semalign3d.maps.descriptors.files import maps_digest, read_maps
from semalign3d.maps.descriptors.inspection import MapFiles

MAPS = np.random.default_rng(0).normal(size=(2, 5, 4, 4))


def save(root, maps=MAPS, stem="a"):
    (root / "chair").mkdir(exist_ok=True)
    for end, values in zip(("", "_flip"), maps, strict=True):
        np.save(root / "chair" / f"{stem}{end}.npy", values)


def save_hdf5(path, maps=MAPS, stem="a"):
    with h5py.File(path, "a") as file:
        for end, values in zip(("", "_flip"), maps, strict=True):
            file[f"chair/{stem}{end}"] = values


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_same_content_same_maps(tmp_path, dtype):
    maps = MAPS.astype(dtype)
    save(tmp_path, maps)
    save_hdf5(tmp_path / "maps.h5", maps)
    found = read_maps(tmp_path, "chair", "a")
    assert found.shape == (2, 4, 4, 5)
    assert found.dtype == np.float32
    truth = np.moveaxis(maps.astype(np.float64), 1, 3)
    truth /= np.linalg.norm(truth, axis=3, keepdims=True)
    np.testing.assert_allclose(found, truth, atol=1e-6)
    assert np.array_equal(found, read_maps(tmp_path / "maps.h5", "chair", "a"))


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_digests_follow_the_image_alone(tmp_path, kind):
    root = tmp_path if kind == "folder" else tmp_path / "maps.h5"
    write = save if kind == "folder" else save_hdf5
    write(root)
    before = maps_digest(root, "chair", "a")
    write(root, MAPS + 1, stem="b")
    assert maps_digest(root, "chair", "a") == before
    assert maps_digest(root, "chair", "b") != before
    with pytest.raises(FileNotFoundError, match="c"):
        maps_digest(root, "chair", "c")
    with pytest.raises(FileNotFoundError, match=r"nothing\.h5"):
        maps_digest(tmp_path / "nothing.h5", "chair", "a")


NAN = np.where(np.arange(80).reshape(5, 4, 4) == 7, np.nan, MAPS[1])


@pytest.mark.parametrize(
    ("flip", "message"),
    [
        (MAPS[1][:, :3], r"a_flip.*: expected numbers, C x G x G .* found float64 5 x 3 x 4"),
        (MAPS[1][None], "found float64 1 x 5 x 4 x 4"),
        (np.array([[["x"]]]), "a_flip.*: expected numbers"),
        (NAN, r"a_flip.*: 1 of 80 values are not finite"),
        (MAPS[1] * 1e300, "values are not finite"),
        (MAPS[1] * 0, "a_flip.*: it is zero everywhere"),
        (MAPS[1][:4], "the image's map is 5 x 4 x 4, its mirror image's 4 x 4 x 4"),
    ],
)
def test_bad_maps(tmp_path, flip, message):
    save(tmp_path, (MAPS[0], flip))
    with pytest.raises(InputError, match=message):
        read_maps(tmp_path, "chair", "a")


def test_missing_and_damaged_files_are_listed_together(tmp_path):
    with pytest.raises(InputError, match=r"a\.npy: no such file[\s\S]*a_flip\.npy: no such file"):
        read_maps(tmp_path, "chair", "a")
    save(tmp_path)
    path = tmp_path / "chair" / "a.npy"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"a\.npy: not a whole array file"):
        read_maps(tmp_path, "chair", "a")
    np.save(path, np.array([{"a": 1}]))
    with pytest.raises(InputError, match="not a whole array file of numbers"):
        read_maps(tmp_path, "chair", "a")


def test_bad_hdf5_files(tmp_path):
    path = tmp_path / "maps.h5"
    with pytest.raises(InputError, match=r"maps\.h5: no such file"):
        read_maps(path, "chair", "a")
    save_hdf5(path)
    with pytest.raises(InputError, match=r"no dataset chair/b \(channels[\s\S]*chair/b_flip"):
        read_maps(path, "chair", "b")
    assert "no group 'sofa'; the file holds: chair" in str(MapFiles(path, "sofa").problem())
    assert MapFiles(path, "chair").present("a")
    assert not MapFiles(path, "chair").present("b")
    path.write_bytes(path.read_bytes()[:700])
    assert "not a whole HDF5 file" in str(MapFiles(path, "chair").problem())
    with pytest.raises(InputError, match="not a whole HDF5 file"):
        read_maps(path, "chair", "a")
