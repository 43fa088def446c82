"""What a process of each workflow script costs before it does anything."""

import resource
import statistics
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
BARE = "Python"
PACKAGE = "semalign3d"


def scripts() -> list[str]:
    """Names of the workflow's scripts, such as masks or figures/masks."""
    found = sorted(SCRIPTS.rglob("*.py"))
    return [path.relative_to(SCRIPTS).with_suffix("").as_posix() for path in found]


def startup_times(names: list[str], repeat: int) -> dict[str, float]:
    """Median CPU seconds of a bare Python, of `import semalign3d`, and of scripts' imports.

    Scripts bring in the part of Snakemake that their jobs unpickle, as Snakemake starts them.
    """
    codes = {BARE: "", PACKAGE: "import semalign3d"}
    for name in names:
        codes[name] = (
            "import runpy; from snakemake import script; "
            f"runpy.run_path({str(SCRIPTS / f'{name}.py')!r})"
        )
    return {
        name: statistics.median(_cpu_seconds(code) for _ in range(repeat))
        for name, code in codes.items()
    }


def _cpu_seconds(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, cwd=SCRIPTS.parent.parent)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
