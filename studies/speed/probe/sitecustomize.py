"""Loaded by Python at its start from PYTHONPATH: measures the process that it runs in.

At the end of the process one line of JSON is appended to the file that BENCHMARK_PROBE names.
`peak_kb` is the most memory since the process became this program: the kernel's ru_maxrss would
also count the process that started it.
"""

import atexit
import os
import time

_START = time.monotonic()


def _peak_kb() -> int:
    import resource

    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _report() -> None:
    import json
    import resource
    import sys

    own = resource.getrusage(resource.RUSAGE_SELF)
    record = {
        "program": sys.argv[0],
        "cpu": own.ru_utime + own.ru_stime,
        "wall": time.monotonic() - _START,
        "peak_kb": _peak_kb(),
    }
    with open(os.environ["BENCHMARK_PROBE"], "a") as file:
        file.write(json.dumps(record) + "\n")


if "BENCHMARK_PROBE" in os.environ:
    atexit.register(_report)
