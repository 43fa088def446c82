"""HDF5 files: whole or absent, equal bytes for equal content, damage never goes unnoticed."""

import os
import time

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from semalign3d.files import store
from semalign3d.files.store import DamagedFileError

DTYPES = st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.uint8, np.bool_])


def write_sample(path, stamp="made-from-this"):
    rng = np.random.default_rng(0)
    with store.create(path, stamp=stamp, category="chair", version=1) as file:
        store.write(file, "xyz", rng.normal(size=(40, 3)))
        store.write(file, "sparse/mask", rng.random((30, 20)) > 0.5, compress=True)
        store.write(file, "stems", ["chair_000", "stühle_1"])
        store.write(file, "energy", 1.25)
        store.write_attributes(file["sparse"], names=["nose", "tail"], used=True)
    return path


@given(array=arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0)))
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("compress", [False, True])
def test_arrays_come_back_bit_for_bit(tmp_path_factory, array, compress):
    path = tmp_path_factory.mktemp("store") / "a.h5"
    with store.create(path) as file:
        store.write(file, "values", array, compress=compress)
    back = store.read(path, "values")["values"]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert store.verify(path) is None


def test_large_arrays_are_split_into_checked_chunks(tmp_path):
    array = np.random.default_rng(0).normal(size=(2, 60, 60, 96)).astype(np.float16)
    path = tmp_path / "a.h5"
    with store.create(path) as file:
        dataset = store.write(file, "descriptors", array)
        assert dataset.fletcher32
        assert np.prod(dataset.chunks) * 2 <= store.MAX_CHUNK_BYTES
    assert np.array_equal(store.read(path, "descriptors")["descriptors"], array)


def test_texts_come_back_as_texts(tmp_path):
    stems = store.read(write_sample(tmp_path / "a.h5"), "stems")["stems"]
    assert list(stems) == ["chair_000", "stühle_1"]
    assert all(isinstance(stem, str) for stem in stems)


def test_empty_list_of_texts(tmp_path):
    with store.create(tmp_path / "a.h5") as file:
        store.write(file, "reasons", np.array([], dtype=str))
        store.write(file, "blank", [""])
    back = store.read(tmp_path / "a.h5", "reasons", "blank")
    assert list(back["reasons"]) == []
    assert list(back["blank"]) == [""]


def test_equal_content_gives_equal_bytes(tmp_path):
    first = write_sample(tmp_path / "a.h5").read_bytes()
    time.sleep(1.1)
    assert write_sample(tmp_path / "other" / "b.h5").read_bytes() == first


def test_nothing_is_left_after_an_exception(tmp_path):
    path = write_sample(tmp_path / "a.h5")
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), store.create(path) as file:  # noqa: PT012
        store.write(file, "xyz", np.zeros((4, 3)))
        raise ZeroDivisionError
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.h5"]


def test_file_has_the_permissions_of_any_new_file(tmp_path):
    path = write_sample(tmp_path / "a.h5")
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.h5"):
        store.read(tmp_path / "nothing.h5", "xyz")
    assert store.stamp_of(tmp_path / "nothing.h5") is None
    assert "nothing.h5" in store.verify(tmp_path / "nothing.h5")
    assert store.verify(tmp_path) is not None


def test_missing_dataset_names_those_that_exist(tmp_path):
    path = write_sample(tmp_path / "a.h5")
    with pytest.raises(DamagedFileError, match=r"no dataset depth.*sparse/mask.*stems.*xyz"):
        store.read(path, "xyz", "depth")
    with pytest.raises(DamagedFileError, match="depth"), store.open_checked(path) as file:
        file["depth"]
    with pytest.raises(DamagedFileError, match="no dataset sparse "):
        store.read(path, "sparse")


def test_stamp(tmp_path):
    assert store.stamp_of(write_sample(tmp_path / "a.h5")) == "made-from-this"
    assert store.stamp_of(write_sample(tmp_path / "b.h5", stamp="")) is None


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all", b"\x89HDF\r\n\x1a\n"])
def test_what_is_no_hdf5_file_is_damaged(tmp_path, content):
    path = tmp_path / "a.h5"
    path.write_bytes(content)
    assert store.verify(path) is not None
    assert store.stamp_of(path) is None
    with pytest.raises(DamagedFileError, match=r"a\.h5 is damaged.*Delete it"):
        store.read(path, "xyz")


def test_truncated_file_is_damaged(tmp_path):
    path = write_sample(tmp_path / "a.h5")
    content = path.read_bytes()
    for length in range(0, len(content), max(1, len(content) // 40)):
        path.write_bytes(content[:length])
        assert store.stamp_of(path) is None, length


def test_no_changed_byte_changes_a_number_unnoticed(tmp_path):
    """Each single flipped byte is noticed, or lies where it changes nothing that is read."""
    path = write_sample(tmp_path / "a.h5")
    content = path.read_bytes()
    truth = store.read(path, "xyz", "sparse/mask", "stems", "energy")
    noticed = 0
    for position in range(0, len(content), 3):
        flipped = bytearray(content)
        flipped[position] ^= 0xFF
        path.write_bytes(flipped)
        if store.verify(path) is not None:
            noticed += 1
            continue
        found = store.read(path, *truth)
        for name, values in truth.items():
            assert found[name].tolist() == values.tolist(), (position, name)
        assert store.stamp_of(path) == "made-from-this", position
    assert noticed > len(content) / 3 * 0.3


def test_attributes_come_back(tmp_path):
    with store.open_checked(write_sample(tmp_path / "a.h5")) as file:
        assert store.attributes(file) == {
            "category": "chair",
            "version": 1,
            "stamp": "made-from-this",
        }
        of_group = store.attributes(file["sparse"])
    assert of_group["used"] is True
    assert list(of_group["names"]) == ["nose", "tail"]


@pytest.mark.parametrize("where", ["attribute", "dataset"])
def test_texts_without_checksum_are_refused(tmp_path, where):
    texts = np.array(["variable", "length"], dtype=h5py.string_dtype())
    with pytest.raises(TypeError, match=where), store.create(tmp_path / "a.h5") as file:
        (file.attrs if where == "attribute" else file)["names"] = texts
    assert os.listdir(tmp_path) == []


def test_checksum_failure_inside_the_block_is_a_damaged_file(tmp_path):
    path = write_sample(tmp_path / "a.h5")
    with h5py.File(path) as file:
        offset = file["xyz"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"a\.h5"), store.open_checked(path) as file:
        file["xyz"][...]


def test_errors_of_the_caller_pass_through(tmp_path):
    path = write_sample(tmp_path / "a.h5")
    for error in (OSError(28, "No space left on device"), KeyError("other"), ValueError("x")):
        with pytest.raises(type(error)) as caught, store.open_checked(path):
            raise error
        assert caught.value is error
