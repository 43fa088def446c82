"""The constants of alignment and matching, each with its reason (METHOD.md section 10)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AlignmentSettings:
    """What can be set of alignment; the defaults were chosen on validation images of the demo.

    Attributes
    ----------
    standardise : whether similarity maps are scaled to the spread they have on training images.
    directions, rolls, scales : of the search: view directions over the sphere, rotations in the
        image plane, sizes of the object between `smallest` and `largest` times what training
        images show.
    smallest, largest : factors on the smallest and the largest training size.
    starts : rotations that the search hands on.
    rigid_steps : of the rigid refinement; 0 leaves it out.
    candidates : distinct poses that are refined freely.
    free_steps : of the free refinement; 0 leaves the shape rigid.
    shape_weight : of the prior's energy of the shape in the free refinement.
    reconstruction_weight : of how badly the photo's object-like cells are explained.
    view_weight : of how unusual it is to see the category from a side.
    focal_spread : standard deviation of the log focal length about the training median.
    outside : likelihood ratio of a point that lies outside the image.
    """

    standardise: bool = True
    directions: int = 150
    rolls: int = 12
    scales: int = 10
    smallest: float = 0.7
    largest: float = 1.6
    starts: int = 20
    rigid_steps: int = 60
    candidates: int = 4
    free_steps: int = 60
    shape_weight: float = 160.0
    reconstruction_weight: float = 40.0
    view_weight: float = 1.0
    focal_spread: float = 0.3
    outside: float = 0.5


@dataclass(frozen=True)
class MatchingSettings:
    """What can be set of matching; the defaults were chosen on validation images of the demo.

    Attributes
    ----------
    sigma : by how many grid cells a match may leave the place that the geometry gives.
    interpolate : whether a query moves with the points around it, or to the best one's place.
    pair : weight of the cosine between the query's own descriptor and the target's.
    window : radius of the soft-argmax around the best place, in grid cells; 0 for none.
    """

    sigma: float = 1.0
    interpolate: bool = True
    pair: float = 12.0
    window: float = 2.0
