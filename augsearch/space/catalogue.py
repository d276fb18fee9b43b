"""The catalogue of operations: names, parameters, hard bounds and identities, and nothing that
computes. Spaces and policies are checked against it; `augsearch.augment` holds the arithmetic.

A parameter is the *most* that an operation does: the magnitude of one sample is drawn uniformly
between the identity and the parameter's value (each entry says how). Lengths are fractions of the
image's shorter side, so that a policy means the same at 32 and at 224 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """One searchable number of an operation.

    Attributes:
        name: key in YAML.
        low, high: hard physical bounds, inclusive; no space can leave them.
        doc: what it means and how a sample's magnitude follows from it, with its unit.
        identity: the value at which it changes nothing; None if it only shapes the effect.
        default: value where YAML leaves it out.
        integer: whole numbers only.
        colour_only: does nothing to a grey image.
    """

    name: str
    low: float
    high: float
    doc: str
    identity: float | None
    default: float
    integer: bool = False
    colour_only: bool = False


@dataclass(frozen=True)
class Operation:
    """One augmentation: what it does, its parameters, and whether it needs colour."""

    name: str
    doc: str
    parameters: tuple[Parameter, ...] = ()
    colour_only: bool = False

    def parameter(self, name: str) -> Parameter:
        """The parameter called `name`; KeyError if there is none."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)


GEOMETRIC = (
    Operation(
        "resized_crop",
        "Cut a random rectangle and resize it to the full image; the backbone of SimCLR. Area and "
        "aspect ratio are drawn again, up to ten times, until the rectangle fits.",
        (
            Parameter(
                "scale_min", 0.01, 1.0,
                "smallest share of the area that is kept; the share is uniform in [scale_min, 1]",
                identity=1.0, default=0.2,
            ),
            Parameter(
                "ratio", 1.0, 4.0,
                "most extreme aspect ratio, relative to the image's own; log-uniform in "
                "[1/ratio, ratio]",
                identity=1.0, default=4 / 3,
            ),
        ),
    ),
    Operation("horizontal_flip", "Mirror left and right."),
    Operation("vertical_flip", "Mirror top and bottom."),
    Operation("rotate90", "Turn by 90, 180 or 270 degrees, each as likely; keeps the shape."),
    Operation(
        "rotation",
        "Turn by any angle about the centre; uncovered corners mirror the image.",
        (
            Parameter(
                "degrees", 0.0, 180.0, "largest angle; uniform in [-degrees, degrees]",
                identity=0.0, default=15.0,
            ),
        ),
    ),
    Operation(
        "affine",
        "Shift, zoom and shear; uncovered borders mirror the image.",
        (
            Parameter(
                "translate", 0.0, 0.5,
                "largest shift along each axis, as a share of that axis; uniform on both sides",
                identity=0.0, default=0.0,
            ),
            Parameter(
                "zoom", 1.0, 2.0, "largest zoom factor; log-uniform in [1/zoom, zoom]",
                identity=1.0, default=1.0,
            ),
            Parameter(
                "shear", 0.0, 45.0, "largest shear along each axis in degrees; uniform both ways",
                identity=0.0, default=0.0,
            ),
        ),
    ),
    Operation(
        "perspective",
        "Move the four corners inwards at random, as a tilted camera would; uncovered borders "
        "mirror the image.",
        (
            Parameter(
                "distortion", 0.0, 0.9,
                "largest move of a corner, as a share of half the side; uniform from 0",
                identity=0.0, default=0.3,
            ),
        ),
    ),
)  # fmt: skip

COLOUR = (
    Operation(
        "color_jitter",
        "Change brightness, contrast, saturation and hue, in this order.",
        (
            Parameter(
                "brightness", 0.0, 1.0, "factor uniform in [1 - brightness, 1 + brightness]",
                identity=0.0, default=0.0,
            ),
            Parameter(
                "contrast", 0.0, 1.0,
                "factor uniform in [1 - contrast, 1 + contrast], about the mean grey",
                identity=0.0, default=0.0,
            ),
            Parameter(
                "saturation", 0.0, 1.0, "factor uniform in [1 - saturation, 1 + saturation]",
                identity=0.0, default=0.0, colour_only=True,
            ),
            Parameter(
                "hue", 0.0, 0.5, "shift in turns of the colour circle; uniform in [-hue, hue]",
                identity=0.0, default=0.0, colour_only=True,
            ),
        ),
    ),
    Operation("grayscale", "Drop the colour.", colour_only=True),
    Operation(
        "gamma",
        "Raise to a power, as exposure and film curves do.",
        (
            Parameter(
                "gamma", 1.0, 4.0, "most extreme exponent; log-uniform in [1/gamma, gamma]",
                identity=1.0, default=1.5,
            ),
        ),
    ),
    Operation("invert", "Negative image."),
    Operation(
        "solarize",
        "Invert what is brighter than a threshold.",
        (
            Parameter(
                "threshold_min", 0.0, 1.0, "lowest threshold; uniform in [threshold_min, 1]",
                identity=1.0, default=0.5,
            ),
        ),
    ),
    Operation(
        "posterize",
        "Keep only the highest bits of each channel.",
        (
            Parameter(
                "bits_min", 1, 8, "fewest bits kept; uniform over bits_min..8",
                identity=8, default=4, integer=True,
            ),
        ),
    ),
    Operation("equalize", "Flatten the histogram of each channel."),
    Operation("autocontrast", "Stretch each channel to the full range."),
    Operation(
        "clahe",
        "Equalise the histogram locally, with limited contrast (slow).",
        (
            Parameter(
                "clip_limit", 1.0, 40.0, "largest contrast limit; uniform in [1, clip_limit]",
                identity=None, default=4.0,
            ),
        ),
    ),
)  # fmt: skip

SHARPNESS_AND_BLUR = (
    Operation(
        "gaussian_blur",
        "Defocus.",
        (
            Parameter(
                "sigma", 0.0, 0.1,
                "largest standard deviation as a share of the shorter side; uniform from 0 "
                "(SimCLR: 2 of 224 px = 0.009)",
                identity=0.0, default=0.01,
            ),
        ),
    ),
    Operation(
        "motion_blur",
        "Smear along a random direction, as a moving line or camera does.",
        (
            Parameter(
                "length", 0.0, 0.5,
                "longest smear as a share of the shorter side; uniform from 0",
                identity=0.0, default=0.1,
            ),
        ),
    ),
    Operation(
        "sharpness",
        "Sharpen.",
        (
            Parameter(
                "amount", 0.0, 8.0, "most sharpening; uniform from 0 (1: twice the detail)",
                identity=0.0, default=1.0,
            ),
        ),
    ),
)  # fmt: skip

NOISE_AND_LOSS = (
    Operation(
        "gaussian_noise",
        "Sensor noise, independent in every pixel and channel.",
        (
            Parameter(
                "std", 0.0, 0.5, "largest standard deviation (white = 1); uniform from 0",
                identity=0.0, default=0.05,
            ),
        ),
    ),
    Operation(
        "salt_and_pepper",
        "Dead and hot pixels.",
        (
            Parameter(
                "amount", 0.0, 0.5, "largest share of pixels hit; uniform from 0",
                identity=0.0, default=0.02,
            ),
        ),
    ),
    Operation(
        "erasing",
        "Cover one rectangle with the image's mean grey (cutout).",
        (
            Parameter(
                "area", 0.0, 0.6, "largest share of the area covered; uniform from 0",
                identity=0.0, default=0.2,
            ),
            Parameter(
                "ratio", 1.0, 4.0, "most extreme aspect ratio; log-uniform in [1/ratio, ratio]",
                identity=None, default=3.0,
            ),
        ),
    ),
    Operation(
        "jpeg",
        "Compression artefacts (slow).",
        (
            Parameter(
                "quality_min", 1.0, 100.0, "lowest JPEG quality; uniform in [quality_min, 100]",
                identity=100.0, default=50.0,
            ),
        ),
    ),
)  # fmt: skip

ILLUMINATION = (
    Operation(
        "linear_illumination",
        "Add or take away light along a random side, as a lamp at the edge does.",
        (
            Parameter(
                "gain", 0.0, 1.0, "largest change of brightness (white = 1); uniform both ways",
                identity=0.0, default=0.2,
            ),
        ),
    ),
    Operation(
        "gaussian_illumination",
        "Add or take away a spot of light at a random place.",
        (
            Parameter(
                "gain", 0.0, 1.0, "largest change of brightness (white = 1); uniform both ways",
                identity=0.0, default=0.2,
            ),
        ),
    ),
    Operation(
        "plasma_shadow",
        "Darken irregular, cloud-like patches.",
        (
            Parameter(
                "shade", 0.0, 1.0, "deepest shadow (white = 1); uniform from 0",
                identity=0.0, default=0.2,
            ),
        ),
    ),
)  # fmt: skip

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (*GEOMETRIC, *COLOUR, *SHARPNESS_AND_BLUR, *NOISE_AND_LOSS, *ILLUMINATION)
}
