"""Digests of code: an edit of the library reruns the stages that use it.

Snakemake tracks the file of a rule's script, not what the script imports.
"""

import ast
import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..files.digest import values_digest

PACKAGES = ("semalign3d", "demo", "studies")
SOURCE_ROOT = Path(__file__).resolve().parents[2]


def code_digest(*modules: str, root: Path = SOURCE_ROOT) -> str:
    """Digest of the code of modules and, transitively, of what they import from our packages.

    Taken from the syntax trees without docstrings: a reworded comment or docstring and another
    layout change nothing, everything else does. Files are read, never imported.

    Parameters
    ----------
    modules : dotted names, e.g. `"semalign3d.shape.sparse.prior"`.
    root : folder that holds the packages.

    Raises
    ------
    ValueError : no file for one of the modules.
    """
    for module in modules:
        if _module_file(module, root) is None:
            raise ValueError(f"no module {module} under {root}")
    return _closure_digest(modules, root)


def script_digest(script: str | Path, root: Path = SOURCE_ROOT) -> str:
    """Like `code_digest`, for a script that lies in no package: itself and what it imports."""
    tree, imports = _parsed(Path(script), "", root)
    return values_digest(script=tree, modules=_closure_digest(imports, root))


def _closure_digest(modules: Iterable[str], root: Path) -> str:
    trees: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        path = _module_file(module, root)
        if module in trees or path is None:
            continue
        trees[module], imports = _parsed(path, module, root)
        waiting += imports
        waiting += [module.rpartition(".")[0]] if "." in module else []
    return values_digest(**trees)


def _module_file(module: str, root: Path) -> Path | None:
    base = root.joinpath(*module.split("."))
    for path in (base / "__init__.py", base.with_name(base.name + ".py")):
        if path.is_file():
            return path
    return None


def _parsed(path: Path, module: str, root: Path) -> tuple[str, tuple[str, ...]]:
    """Digest of a file's syntax tree, and the modules of ours that it imports."""
    return _parsed_version(path, path.stat().st_mtime_ns, path.stat().st_size, module, root)


@functools.cache
def _parsed_version(
    path: Path, changed: int, size: int, module: str, root: Path
) -> tuple[str, tuple[str, ...]]:
    tree = ast.parse(path.read_bytes(), filename=str(path))
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    imports = tuple(sorted(set(_imports(tree, package, root))))
    _drop_docstrings(tree)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imports


def _drop_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]


def _imports(tree: ast.Module, package: str, root: Path) -> Iterator[str]:
    """Names of our modules that a tree imports anywhere, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (
            name
            for name in names
            if name.split(".")[0] in PACKAGES and _module_file(name, root) is not None
        )


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """The absolute name of what `from ... import` takes from."""
    if node.level == 0:
        return node.module or ""
    parents = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parents, node.module] if node.module else parents)
