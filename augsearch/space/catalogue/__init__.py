"""The catalogue of operations: names, parameters, hard bounds and identities, and nothing that
computes. Spaces and policies are checked against it; `augsearch.augment` holds the arithmetic.

A parameter is the *most* that an operation does: the magnitude of one sample is drawn uniformly
between the identity and the parameter's value (each entry says how). Lengths are fractions of the
image's shorter side. What acts on single pixels has a `grain`, the side of the cells that stand for
pixels, so that it does the same at 32 and at 224 pixels; `carry_over` measures how well that holds.

Every 2D augmentation of Kornia that makes sense for one image is here: `COVERED` says by which
operation, `LEFT_OUT` what is not, and why.
"""

from __future__ import annotations

from augsearch.space.catalogue.blur import SHARPNESS_AND_BLUR
from augsearch.space.catalogue.colour import COLOUR
from augsearch.space.catalogue.form import GRAIN, Operation, Parameter
from augsearch.space.catalogue.geometric import GEOMETRIC
from augsearch.space.catalogue.light import ILLUMINATION
from augsearch.space.catalogue.noise import NOISE_AND_LOSS
from augsearch.space.catalogue.of_kornia import COVERED, LEFT_OUT
from augsearch.space.catalogue.weather import WEATHER

__all__ = [
    "COLOUR",
    "COVERED",
    "GEOMETRIC",
    "GRAIN",
    "ILLUMINATION",
    "LEFT_OUT",
    "NOISE_AND_LOSS",
    "OPERATIONS",
    "SHARPNESS_AND_BLUR",
    "WEATHER",
    "Operation",
    "Parameter",
]

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        *GEOMETRIC,
        *COLOUR,
        *SHARPNESS_AND_BLUR,
        *NOISE_AND_LOSS,
        *WEATHER,
        *ILLUMINATION,
    )
}
