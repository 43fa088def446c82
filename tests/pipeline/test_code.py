"""Digests of code change with what a stage uses, and with nothing else."""

import os
import subprocess
import sys
import textwrap
import time

import pytest

from semalign3d.pipeline.code import code_digest, script_digest

FILES = {
    "semalign3d/__init__.py": "",
    "semalign3d/used.py": """
        '''Docstring.'''
        SLOPE = 0.3  # comment

        def f(x):
            '''What it does.'''
            return SLOPE * x
        """,
    "semalign3d/lazy.py": "VALUE = 1",
    "semalign3d/unused.py": "VALUE = 1",
    "semalign3d/prior/__init__.py": "",
    "semalign3d/prior/near.py": "VALUE = 1",
    "semalign3d/prior/sparse.py": """
        import numpy as np
        from .. import used
        from . import near
        from os import path

        def g():
            from semalign3d.lazy import VALUE
            import demo.plan
            return VALUE
        """,
    "demo/__init__.py": "",
    "demo/plan.py": "COUNT = 3",
    "scripts/sparse.py": """
        from os import path
        from semalign3d import unused
        from semalign3d.prior import sparse
        """,
}


@pytest.fixture
def tree(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(textwrap.dedent(text))
    return tmp_path


def edit(tree, name, old, new):
    path = tree / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    later = time.time_ns() + 1_000_000_000
    os.utime(path, ns=(later, later))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("semalign3d/used.py", "# comment", "# reworded, and longer"),
        ("semalign3d/used.py", "'''Docstring.'''", "'''Another one.'''"),
        ("semalign3d/used.py", "'''What it does.'''", ""),
        ("semalign3d/used.py", "SLOPE * x", "(SLOPE  *  x)"),
        ("semalign3d/unused.py", "1", "2"),
    ],
)
def test_wording_and_other_modules_change_nothing(tree, name, old, new):
    before = code_digest("semalign3d.prior.sparse", root=tree)
    edit(tree, name, old, new)
    assert code_digest("semalign3d.prior.sparse", root=tree) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("semalign3d/used.py", "0.3", "0.4"),
        ("semalign3d/used.py", "SLOPE * x", "x * SLOPE"),
        ("semalign3d/lazy.py", "1", "2"),
        ("semalign3d/prior/near.py", "1", "2"),
        ("semalign3d/prior/sparse.py", "return VALUE", "return -VALUE"),
        ("demo/plan.py", "3", "4"),
    ],
)
def test_code_of_the_module_and_of_what_it_imports_counts(tree, name, old, new):
    before = code_digest("semalign3d.prior.sparse", root=tree)
    edit(tree, name, old, new)
    assert code_digest("semalign3d.prior.sparse", root=tree) != before


def test_code_of_packages_on_the_way_counts(tree):
    before = code_digest("semalign3d.prior.near", root=tree)
    (tree / "semalign3d/prior/__init__.py").write_text("from . import sparse\n")
    after = code_digest("semalign3d.prior.near", root=tree)
    assert after != before
    edit(tree, "semalign3d/used.py", "0.3", "0.4")
    assert code_digest("semalign3d.prior.near", root=tree) != after


def test_several_modules_in_any_order(tree):
    names = ("semalign3d.used", "demo.plan")
    assert code_digest(*names, root=tree) == code_digest(*names[::-1], root=tree)
    assert code_digest(*names, root=tree) != code_digest("semalign3d.used", root=tree)


def test_unknown_module_is_an_error(tree):
    with pytest.raises(ValueError, match=r"semalign3d\.nothing"):
        code_digest("semalign3d.nothing", root=tree)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("scripts/sparse.py", "import path", "import path as p"),
        ("semalign3d/unused.py", "1", "2"),
        ("semalign3d/used.py", "0.3", "0.4"),
    ],
)
def test_script_and_the_modules_that_it_imports(tree, name, old, new):
    script = tree / "scripts" / "sparse.py"
    before = script_digest(script, root=tree)
    assert script_digest(script, root=tree) == before
    edit(tree, name, old, new)
    assert script_digest(script, root=tree) != before


def test_finds_the_real_package_fast_and_without_importing():
    code = textwrap.dedent(
        """
        import sys, time
        from semalign3d.pipeline.code import code_digest
        start = time.perf_counter()
        code_digest("semalign3d.datasets", "semalign3d.files.store", "semalign3d.maps.masks.sam")
        print(time.perf_counter() - start)
        assert not {"torch", "h5py", "semalign3d.datasets"} & set(sys.modules), "imported"
        """
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.0
