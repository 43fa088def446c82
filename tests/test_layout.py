"""The house: one name a stage, arrows that run one way, small files."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("semalign3d", "demo", "studies")
STAGES = {
    "demo": "demo",
    "manifest": "semalign3d/datasets/manifest.py",
    "checks": "semalign3d/checks",
    "descriptors": "semalign3d/maps/descriptors",
    "masks": "semalign3d/maps/masks",
    "depth": "semalign3d/maps/depth",
    "cameras": "semalign3d/shape/cameras",
    "relations": "semalign3d/shape/relations",
    "sparse": "semalign3d/shape/sparse",
    "bundle": "semalign3d/shape/bundle",
    "points": "semalign3d/shape/points.py",
    "dense": "semalign3d/shape/dense",
    "statistics": "semalign3d/alignment/statistics",
    "prior": "semalign3d/prior.py",
    "alignment": "semalign3d/alignment",
    "matching": "semalign3d/alignment/matching",
    "evaluation": "semalign3d/evaluation",
    "figures": "semalign3d/figures",
}
"""Each stage with its room, in the order in which data passes."""
FOLDERS = {"prior": "priors"}
"""Under results/, where it has another name: the target that users type."""
FLOORS = (
    *("limits", "errors", "seeds", "device", "arrays", "files", "geometry", "datasets", "maps"),
    *("shape", "alignment", "prior", "checks", "evaluation", "figures", "config", "pipeline"),
    "cli",
)
"""Rooms of the library: each imports only from those before it, and from itself."""
SHAPE = ("cameras", "relations", "sparse", "bundle", "points", "dense")
MOST_LINES, MOST_FILES = 300, 12
LONG = {
    "semalign3d/shape/bundle/objective.py": "one sum of terms, each with its derivatives beside it",
}
"""Files over the limit, with the reason."""


def python_files() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


@cache
def imports() -> dict[str, set[str]]:
    """{module: modules of ours that it imports}, also inside functions; but for type checking."""
    return {module_of(path): set(_imported(path)) for path in python_files()}


def _imported(path: Path) -> Iterator[str]:
    module = module_of(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text())
    skipped = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(
                [*(parents if node.level else []), *([node.module] if node.module else [])]
            )
            names = [f"{base}.{alias.name}" for alias in node.names]
            yield from (name if is_module(name) else base for name in names if is_module(base))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if is_module(alias.name))


def test_no_import_circle() -> None:
    arrows = imports()
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way[way.index(module) :], module))
        if module not in done:
            for other in sorted(arrows.get(module, ())):
                if other != module:
                    visit(other, (*way, module))
            done.add(module)

    for module in sorted(arrows):
        visit(module, ())


def test_arrows_run_down() -> None:
    def room(module: str) -> str:
        return module.split(".")[1]

    backwards = [
        f"{module} -> {other}"
        for module, others in imports().items()
        for other in others
        if module.count(".")
        and other.count(".")
        and module.startswith("semalign3d.")
        and other.startswith("semalign3d.")
        and FLOORS.index(room(other)) > FLOORS.index(room(module))
    ]
    assert backwards == []


def test_stages_of_the_shape_follow_each_other() -> None:
    def stage(module: str) -> int:
        return SHAPE.index(module.split(".")[2])

    backwards = [
        f"{module} -> {other}"
        for module, others in imports().items()
        for other in others
        if module.startswith("semalign3d.shape.")
        and other.startswith("semalign3d.shape.")
        and stage(other) > stage(module)
    ]
    assert backwards == []


def test_the_library_knows_neither_snakemake_nor_the_demo() -> None:
    """But for its top floors, pipeline and cli."""
    for path in sorted((ROOT / "semalign3d").rglob("*.py")):
        room = path.relative_to(ROOT / "semalign3d").parts[0]
        if room not in {"pipeline", "cli"}:
            found = re.findall(
                r"^\s*(?:from|import) (snakemake|demo|studies)\b", path.read_text(), re.M
            )
            assert not found, path


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_one_name_in_four_places(stage: str) -> None:
    assert (ROOT / STAGES[stage]).exists()
    assert Path(STAGES[stage]).stem == stage
    scripts = ROOT / "workflow" / "scripts"
    assert (scripts / f"{stage}.py").is_file() or (scripts / stage).is_dir()
    rules = (ROOT / "rules" / f"{stage}.smk").read_text()
    folder = FOLDERS.get(stage, stage)
    made = set(re.findall(r"\"results/(\w+)/[^\"]*\"", "".join(_outputs(rules))))
    made -= {"logs", "benchmarks"}
    assert made <= {folder, *({"masks"} if stage == "figures" else set())}
    assert f'script_code("{stage}' in rules


def _outputs(rules: str) -> list[str]:
    """The texts of a rule file's outputs."""
    return re.findall(r"output:\n(.*?)\n\s+log:", rules, re.S)


def test_rules_and_scripts_belong_to_stages() -> None:
    rules = {path.stem for path in (ROOT / "rules").glob("*.smk")}
    assert rules == set(STAGES) | {"common", "unknown", "fetch_models"}
    scripts = {
        path.stem for path in (ROOT / "workflow" / "scripts").iterdir() if path.stem[0] != "_"
    }
    assert scripts == set(STAGES) | {"fetch_models"}


def test_files_are_small() -> None:
    files = [*python_files(), *(ROOT / "rules").glob("*.smk"), *(ROOT / "workflow").rglob("*.py")]
    long = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if len(path.read_text().splitlines()) > MOST_LINES
    }
    assert long == set(LONG)


def test_packages_are_small() -> None:
    """A package of more files has sub-packages."""
    folders = {path.parent for path in python_files()}
    large = {
        folder.relative_to(ROOT).as_posix(): len(list(folder.glob("*.py"))) - 1
        for folder in folders
        if len(list(folder.glob("*.py"))) - 1 > MOST_FILES
    }
    assert large == {}
