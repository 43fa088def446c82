"""python -m studies.real run FOLDERS..."""

from studies.shared.commands import run

run("real", {"run": "run"})
