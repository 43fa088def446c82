"""python -m studies.real run|ablate FOLDERS..."""

from studies.shared.commands import run

run("real", {"run": "run", "ablate": "ablate"})
