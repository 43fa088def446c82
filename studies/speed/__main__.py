"""python -m studies.speed stages"""

from studies.shared.commands import run

run("speed", {"stages": "stages"})
