"""Configurations: every problem in one list, texts as YAML means them, defaults in step."""

from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from semalign3d.config import Configuration, read_configuration
from semalign3d.config.generated import as_schema, as_yaml
from semalign3d.config.problems import all_keys
from semalign3d.errors import InputError

FOLDER = Path(__file__).parents[2] / "config"


def problems(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_configuration([path])
    return tuple(raised.value.problems)


def test_generated_files_are_in_step_with_the_models() -> None:
    remedy = "run python -m semalign3d.config"
    assert (FOLDER / "config.yaml").read_text() == as_yaml(), remedy
    assert (FOLDER / "schema.json").read_text() == as_schema(), remedy


def test_written_defaults_are_the_defaults() -> None:
    assert read_configuration([FOLDER / "config.yaml"]) == Configuration()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_of_the_folder_is_valid_for_models_and_schema(path: Path) -> None:
    read_configuration([path])
    schema = yaml.safe_load((FOLDER / "schema.json").read_text())
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


def test_every_key_has_a_description() -> None:
    text = as_yaml()
    for key in all_keys():
        assert f"{key.rpartition('.')[2]}:" in text
    undescribed = [
        f"{name}.{key}"
        for name, section in Configuration.model_fields.items()
        for key, field in type(section.default).model_fields.items()
        if not field.description and not isinstance(field.default, BaseModel)
    ]
    assert undescribed == []


def test_all_problems_are_listed_with_key_expected_and_found(tmp_path: Path) -> None:
    text = """
        masks: {candidat: best}
        masks.candidate: best
        dens: {points: 3}
        dataset: {name: cocoo, val: 3, points: 7}
        dense: {points: 0.5, smoothing: x}
        demo: {images: {val: 1000}, categories: [chair, chair]}
        runtime: {device: gpu}
    """
    found = problems(tmp_path, text)
    assert set(found) == {
        "dataset.name: expected 'demo', 'spair-71k', 'ap-10k', 'pf-pascal' or 'coco', "
        "found 'cocoo'",
        "dataset.val: expected a number less than 1 or a list, found 3",
        "dataset.points: unknown key; did you mean points or dense.points?",
        "demo.images.val: expected a number less than or equal to 100, found 1000",
        "demo.categories: expected at least one category, and each at most once, found "
        "['chair', 'chair']",
        "masks.candidat: unknown key; did you mean masks.candidate?",
        "masks.candidate: unknown key; write it as candidate inside the section masks",
        "dens: unknown key; did you mean dense?",
        "dense.points: expected an integer, found 0.5",
        "dense.smoothing: expected a number, found 'x'",
        "runtime.device: expected a text like '^(auto|cpu|mps|cuda(:[0-9]+)?)$', found 'gpu'",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("descriptors.model: x", "descriptors.model: unknown key; write it as model inside the"),
        ("dense.points: 3", "write it as points inside the section dense"),
        ("descriptors.modell: x", "inside that section, and did you mean model?"),
        ("descriptors.layers: 3", "inside that section, and it has source, root,"),
        ("dataset: {dense.points: 3}", "write it as points inside the section dense"),
        ("dataset: {Root: x}", "dataset.Root: unknown key; did you mean dataset.root?"),
        ("seed: 3", "seed: unknown key; did you mean runtime.seed?"),
        ("1: 2", "1: unknown key; the configuration has dataset, demo"),
        ("dense: {1: 2}", "dense.1: unknown key; dense has"),
        ("points: 2000", "points: expected a section, found 2000"),
        ("dataset: {root: 2024}", 'found 2024; a text is written in quotes: "2024"'),
        ("dataset: {test: [101, a]}", "dataset.test[0]: expected a text, found 101; a text"),
        ("dataset: {test: [2024-01-01]}", "dataset.test[0]: expected a text, found 2024-01-01"),
        ("dataset: {mirror: [[a, no]]}", "dataset.mirror[0][1]: expected a text or an integer"),
        ("dataset: {mirror: [[a, b, c]]}", "dataset.mirror[0]: expected a text or an integer or"),
        ("dataset: {mirror: [[1.5, 2]]}", "dataset.mirror[0][0]: expected a text or an integer"),
        ("dense: {points: '500'}", "found '500', which is a text; a number has no quotes"),
        ("dataset: {hidden: 'true'}", "found 'true', which is a text; true and false have no"),
        ("dense: {points: null}", "dense.points: expected an integer, found null"),
    ],
)
def test_one_message_for_each_mistake(tmp_path: Path, text: str, expected: str) -> None:
    [problem] = problems(tmp_path, text)
    assert expected in problem


def test_a_section_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, "dense: {points: 3}\ndataset: {root: x}\ndense: {fused: 9}\n")
    assert "line 3: dense is given for the second time" in problem


def test_files_as_editors_of_windows_save_them(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    text = 'dataset: {root: "St\u00fchle"}\r\n'
    path.write_bytes(text.encode("utf-8-sig"))
    assert read_configuration([path]).dataset.root == "St\u00fchle"
    path.write_bytes(text.encode("utf-16"))
    with pytest.raises(InputError, match="save it as UTF-8"):
        read_configuration([path])


def test_texts_of_files_stay_texts(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        'dataset: {name: coco, root: "2024", test: ["101"], mirror: [["1", "2"], [3, 4]]}'
    )
    found = read_configuration([path]).dataset
    assert (found.root, found.test, found.mirror) == ("2024", ["101"], [["1", "2"], [3, 4]])


def test_values_of_the_command_line_are_read_from_texts(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("dense: {points: 500, fused: 3000}")
    command = {
        "dense": {"points": "2000"},
        "bundle": {"enabled": "false"},
        "masks": {"root": "null"},
    }
    found = read_configuration([path], command)
    assert (found.dense.points, found.dense.fused) == (2000, 3000)
    assert found.bundle.enabled is False
    assert found.masks.root is None


def test_values_of_the_command_line_stay_texts_where_only_texts_are_allowed() -> None:
    command = {
        "dataset": {
            **{"name": "coco", "root": "2024", "test": ["101", "true"], "val": "0.2"},
            **{"mirror": [["1", '"2"'], "left"], "hidden": "true", "partition": "null"},
        }
    }
    found = read_configuration([], command).dataset
    assert (found.root, found.test, found.val) == ("2024", ["101", "true"], 0.2)
    assert (found.mirror, found.hidden, found.partition) == ([[1, "2"], "left"], True, None)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read"):
        read_configuration([tmp_path / "none.yaml"])
    assert "expected sections" in problems(tmp_path, "[1, 2]")[0]


@given(
    st.integers(1, 10**6),
    st.floats(1e-6, 1e6),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1),
)
def test_a_dumped_configuration_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, points: int, outliers: float, root: str
) -> None:
    command = {"dense": {"points": points, "outliers": outliers}}
    path = tmp_path_factory.mktemp("config") / "c.yaml"
    path.write_text(yaml.safe_dump({"dataset": {"root": root}}), encoding="utf-8")
    before = read_configuration([path], command)
    path.write_text(yaml.safe_dump(before.model_dump()), encoding="utf-8")
    assert read_configuration([path]) == before
    assert before.dataset.root == root
