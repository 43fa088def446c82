"""File systems that refuse, imitated by a library loaded before the C library."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = r"""
#include <errno.h>
#include <stdlib.h>
static int refused(const char *name) {
    const char *value = getenv(name);
    if (value) errno = atoi(value);
    return value != 0;
}
int flock(int file, int how) { return refused("FAIL_LOCK") ? -1 : 0; }
int fsync(int file) { return refused("FAIL_SYNC") ? -1 : 0; }
long __pread64_chk(int, void *, unsigned long, long, unsigned long);
long pread64(int file, void *to, unsigned long size, long from) {
    return refused("FAIL_READ") ? -1 : __pread64_chk(file, to, size, from, size);
}
long pread(int file, void *to, unsigned long size, long from) {
    return pread64(file, to, size, from);
}
"""
"""FAIL_LOCK, FAIL_SYNC and FAIL_READ hold the number of the error that a call gives."""


def library(folder: Path) -> Path:
    """Build the library; skips the test where that can't be."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not sys.platform.startswith("linux") or compiler is None:
        pytest.skip("needs Linux and a C compiler")
    source, built = folder / "faults.c", folder / "faults.so"
    source.write_text(SOURCE)
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(built), str(source)], capture_output=True
    )
    if done.returncode:
        pytest.skip(f"the C compiler fails: {done.stderr.decode()[-300:]}")
    return built


def run_python(faults: Path, code: str, folder: Path, **fail: int) -> str:
    """What some code prints where calls fail, such as `FAIL_LOCK=37`."""
    environment = {**os.environ, "LD_PRELOAD": str(faults)}
    environment |= {name: str(number) for name, number in fail.items()}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
