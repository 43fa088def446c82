"""python -m studies.matching score|select|ablate|cost PRIORS..."""

from studies.shared.commands import run

run("matching", {"score": "score", "select": "select", "ablate": "ablate", "cost": "cost"})
