"""Set-up that every script shares: its log, its threads and how it fails."""

import ctypes
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from semalign3d.errors import InputError
from semalign3d.files.store import DamagedFileError
from semalign3d.pipeline import locks

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of the parameters of mallopt, from glibc's malloc.h."""
EXPECTED_ERRORS = (InputError, DamagedFileError, OSError)


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Run a script's main: everything goes to the rule's log, the last word to the terminal.

    An error of the input is shown as its message, any other one with its traceback;
    both end the job with a non-zero exit code and stand in the log with their traceback.
    """
    _start_logging(str(snakemake.log[0]))
    limit_threads(int(snakemake.config["runtime"]["threads"]))
    keep_freed_memory()
    logger = logging.getLogger(snakemake.rule)
    try:
        with locks.job_at_work(Path(".snakemake")):
            yield
    except EXPECTED_ERRORS as error:
        logger.debug("traceback", exc_info=True)
        logger.error("%s", error)
        sys.exit(1)
    except Exception:
        logger.exception("unexpected error in rule %s", snakemake.rule)
        sys.exit(1)


def _start_logging(log_path: str) -> None:
    log = logging.FileHandler(log_path, mode="w")
    log.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.INFO)
    terminal.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    terminal.addFilter(lambda record: record.levelno >= logging.WARNING or _is_summary(record))
    logging.basicConfig(level=logging.INFO, handlers=[log, terminal], force=True)
    for ours in ("semalign3d", "demo"):
        logging.getLogger(ours).setLevel(logging.DEBUG)
    logging.captureWarnings(True)


def summary(snakemake: Any, text: str) -> None:
    """Say one line to the terminal and the log: what the job did."""
    logging.getLogger(snakemake.rule).info(text, extra={"summary": True})


def _is_summary(record: logging.LogRecord) -> bool:
    return getattr(record, "summary", False)


def limit_threads(count: int) -> None:
    """Fix the number of CPU threads: sums in another order would change the last digits."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(count)
    threadpool_limits(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


def keep_freed_memory() -> None:
    """Let the C library (glibc) use the memory of freed arrays again, up to 256 MB.

    By default it gives large arrays back to the system at once, which then clears every page of
    the next one: a seventh of the descriptors stage's time. Other C libraries are left alone.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_THRESHOLD, 32 << 20)
    mallopt(M_TRIM_THRESHOLD, 256 << 20)
