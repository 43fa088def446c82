"""The whole configuration."""

from .alignment import Alignment, Matching
from .checks import Checks
from .dataset import Dataset
from .demo import Demo
from .evaluation import Evaluation
from .maps.depth import Depth
from .maps.descriptors import Descriptors
from .maps.masks import Masks
from .runtime import Resources, Runtime
from .section import Section
from .shape.bundle import Bundle
from .shape.cameras import Cameras, Points
from .shape.dense import Dense
from .shape.relations import Relations


class Configuration(Section):
    """Configuration of the semalign3d pipeline."""

    dataset: Dataset = Dataset()
    demo: Demo = Demo()
    checks: Checks = Checks()
    descriptors: Descriptors = Descriptors()
    masks: Masks = Masks()
    depth: Depth = Depth()
    cameras: Cameras = Cameras()
    points: Points = Points()
    relations: Relations = Relations()
    bundle: Bundle = Bundle()
    dense: Dense = Dense()
    alignment: Alignment = Alignment()
    matching: Matching = Matching()
    evaluation: Evaluation = Evaluation()
    runtime: Runtime = Runtime()
    resources: Resources = Resources()
