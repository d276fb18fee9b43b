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
        unit: how a value is written for people: `%` of what `doc` names, `°`, `×`, `turns`,
            `bits`; with a `±` before it where both signs are meant.
    """

    name: str
    low: float
    high: float
    doc: str
    identity: float | None
    default: float
    integer: bool = False
    colour_only: bool = False
    unit: str = ""


GRAIN = Parameter(
    "grain", 1 / 512, 0.25,
    "side of the cells that it works on, as a share of the shorter side; at 1/32 a cell is a pixel "
    "of 32 (fixed unless searched)",
    identity=None, default=1 / 32, unit="%",
)  # fmt: skip
"""No magnitude: every sample has the same, so it is not among an operation's `parameters`."""


@dataclass(frozen=True)
class Operation:
    """One augmentation.

    Attributes:
        name, doc: what it is called and what it does.
        parameters: its magnitudes and what shapes them.
        colour_only: does nothing to a grey image.
        grained: it works on cells, whose side is `GRAIN`.
        limits: where it does not do the same at other sizes; empty if it does anywhere.
    """

    name: str
    doc: str
    parameters: tuple[Parameter, ...] = ()
    colour_only: bool = False
    grained: bool = False
    limits: str = ""

    @property
    def numbers(self) -> tuple[Parameter, ...]:
        """All that can be set: the parameters, then the grain if it has one."""
        return (*self.parameters, GRAIN) if self.grained else self.parameters

    def parameter(self, name: str) -> Parameter:
        """The parameter or grain called `name`; KeyError if there is none."""
        for parameter in self.numbers:
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
                identity=1.0, default=0.2, unit="%",
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
                identity=0.0, default=15.0, unit="°",
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
                identity=0.0, default=0.0, unit="%",
            ),
            Parameter(
                "zoom", 1.0, 2.0, "largest zoom factor; log-uniform in [1/zoom, zoom]",
                identity=1.0, default=1.0, unit="×",
            ),
            Parameter(
                "shear", 0.0, 45.0, "largest shear along each axis in degrees; uniform both ways",
                identity=0.0, default=0.0, unit="°",
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
                identity=0.0, default=0.3, unit="%",
            ),
        ),
    ),
    Operation(
        "elastic",
        "Shift pixels smoothly at random, as soft tissue does; uncovered borders mirror the image.",
        (
            Parameter(
                "displacement", 0.0, 0.1,
                "largest standard deviation of the shifts as a share of the shorter side; uniform "
                "from 0",
                identity=0.0, default=0.02, unit="%",
            ),
            Parameter(
                "smoothness", 0.02, 0.3,
                "how far neighbours move together, as a share of the shorter side",
                identity=None, default=0.1, unit="%",
            ),
        ),
        grained=True,
    ),
    Operation(
        "thin_plate_spline",
        "Pull the corners and the centre about, as a bent sheet; uncovered borders mirror the "
        "image.",
        (
            Parameter(
                "distortion", 0.0, 0.5,
                "largest move of a point along each axis, as a share of half the side; uniform "
                "both ways",
                identity=0.0, default=0.2, unit="%",
            ),
        ),
    ),
    Operation(
        "fisheye",
        "Bend like a wide lens; uncovered borders mirror the image.",
        (
            Parameter(
                "amount", 0.0, 1.0,
                "most bending; uniform from 0 (1: half a side from the centre, a pixel comes from "
                "twice as far)",
                identity=0.0, default=0.4,
            ),
            Parameter(
                "centre", 0.0, 1.0,
                "largest distance of the optical centre from the middle along each axis, as a "
                "share of half the side; uniform both ways",
                identity=None, default=0.3, unit="%",
            ),
        ),
    ),
    Operation(
        "jigsaw",
        "Cut the image into equal pieces and mix them up.",
        (
            Parameter(
                "grid", 1, 8, "most pieces along each side; uniform over 1..grid",
                identity=1, default=3, integer=True,
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
                identity=0.0, default=0.0, unit="±%",
            ),
            Parameter(
                "contrast", 0.0, 1.0,
                "factor uniform in [1 - contrast, 1 + contrast], about the mean grey",
                identity=0.0, default=0.0, unit="±%",
            ),
            Parameter(
                "saturation", 0.0, 1.0, "factor uniform in [1 - saturation, 1 + saturation]",
                identity=0.0, default=0.0, colour_only=True, unit="±%",
            ),
            Parameter(
                "hue", 0.0, 0.5, "shift in turns of the colour circle; uniform in [-hue, hue]",
                identity=0.0, default=0.0, colour_only=True, unit="turns",
            ),
        ),
    ),
    Operation("grayscale", "Drop the colour.", colour_only=True),
    Operation(
        "rgb_shift",
        "Add to or take from each colour channel by itself.",
        (
            Parameter(
                "shift", 0.0, 1.0, "largest change of a channel (white = 1); uniform both ways",
                identity=0.0, default=0.1, unit="%",
            ),
        ),
        colour_only=True,
    ),
    Operation(
        "channel_shuffle",
        "Put the colour channels in another order, each of the five as likely.",
        colour_only=True,
    ),
    Operation(
        "channel_dropout",
        "Turn colour channels black.",
        (
            Parameter(
                "channels", 1, 2, "most channels lost; uniform over 1..channels",
                identity=None, default=1, integer=True,
            ),
        ),
        colour_only=True,
    ),
    Operation(
        "planckian_jitter",
        "Change the colour temperature of the light.",
        (
            Parameter(
                "shift", 0.0, 1.0,
                "largest change of the temperature from 6500 K; uniform both ways (1: 3000 K, "
                "warm, to 15000 K, cold)",
                identity=0.0, default=0.5,
            ),
        ),
        colour_only=True,
    ),
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
                identity=1.0, default=0.5, unit="%",
            ),
        ),
    ),
    Operation(
        "posterize",
        "Keep only the highest bits of each channel.",
        (
            Parameter(
                "bits_min", 1, 8, "fewest bits kept; uniform over bits_min..8",
                identity=8, default=4, integer=True, unit="bits",
            ),
        ),
        grained=True,
    ),
    Operation("equalize", "Flatten the histogram of each channel.", grained=True),
    Operation("autocontrast", "Stretch each channel to the full range.", grained=True),
    Operation(
        "clahe",
        "Equalise the histogram locally, with limited contrast (slow).",
        (
            Parameter(
                "clip_limit", 1.0, 40.0, "largest contrast limit; uniform in [1, clip_limit]",
                identity=None, default=4.0,
            ),
        ),
        grained=True,
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
                identity=0.0, default=0.01, unit="%",
            ),
        ),
        limits="Does not carry over to other sizes where sigma is below one pixel of the smaller "
        "size: too few neighbours are left to blur with. SimCLR's blur, 2 of 224 pixels, does next "
        "to nothing at 32.",
    ),
    Operation(
        "box_blur",
        "Average over a square.",
        (
            Parameter(
                "length", 0.0, 0.5,
                "longest side of the square as a share of the shorter side; uniform from 0 (below "
                "one pixel nothing happens)",
                identity=0.0, default=0.1, unit="%",
            ),
        ),
        grained=True,
    ),
    Operation(
        "median_blur",
        "Remove small things and keep edges.",
        (
            Parameter(
                "length", 0.0, 0.3,
                "longest side of the median's window as a share of the shorter side; uniform from "
                "0 (below one pixel nothing happens)",
                identity=0.0, default=0.1, unit="%",
            ),
        ),
        grained=True,
    ),
    Operation(
        "motion_blur",
        "Smear along a random direction, as a moving line or camera does.",
        (
            Parameter(
                "length", 0.0, 0.5,
                "longest smear as a share of the shorter side; uniform from 0",
                identity=0.0, default=0.1, unit="%",
            ),
        ),
        grained=True,
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
        grained=True,
    ),
)  # fmt: skip

NOISE_AND_LOSS = (
    Operation(
        "gaussian_noise",
        "Sensor noise, independent in every cell and channel.",
        (
            Parameter(
                "std", 0.0, 0.5, "largest standard deviation (white = 1); uniform from 0",
                identity=0.0, default=0.05, unit="%",
            ),
        ),
        grained=True,
    ),
    Operation(
        "salt_and_pepper",
        "Dead and hot pixels.",
        (
            Parameter(
                "amount", 0.0, 0.5, "largest share of cells hit; uniform from 0",
                identity=0.0, default=0.02, unit="%",
            ),
        ),
        grained=True,
        limits="Does not carry over to sizes at which a cell is less than five pixels and not a "
        "whole number of them, such as 100: it loses up to a quarter of its effect there.",
    ),
    Operation(
        "erasing",
        "Cover one rectangle with the image's mean grey (cutout).",
        (
            Parameter(
                "area", 0.0, 0.6, "largest share of the area covered; uniform from 0",
                identity=0.0, default=0.2, unit="%",
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
        grained=True,
    ),
)  # fmt: skip

WEATHER = (
    Operation(
        "rain",
        "Draw thin grey drops over the image.",
        (
            Parameter(
                "amount", 0.0, 0.5,
                "largest share of the area that drops cover, overlaps counted twice; uniform from "
                "0",
                identity=0.0, default=0.1, unit="%",
            ),
            Parameter(
                "length", 0.02, 0.5,
                "longest drop as a share of the shorter side; uniform from a quarter of it, the "
                "same for all drops of an image",
                identity=None, default=0.1, unit="%",
            ),
            Parameter(
                "slant", 0.0, 45.0, "largest angle from the vertical in degrees; uniform both ways",
                identity=None, default=15.0, unit="°",
            ),
        ),
        grained=True,
    ),
    Operation(
        "snow",
        "Whiten what is dark, as snow on the ground does.",
        (
            Parameter(
                "brightness", 1.0, 5.0,
                "largest factor of a dark pixel's lightness; uniform in [1, brightness]",
                identity=1.0, default=2.5, unit="×",
            ),
            Parameter(
                "coverage", 0.1, 1.0,
                "highest lightness (white = 1) up to which a pixel counts as dark; uniform from 0",
                identity=None, default=0.5, unit="%",
            ),
        ),
        grained=True,
    ),
)  # fmt: skip

ILLUMINATION = (
    Operation(
        "linear_illumination",
        "Add or take away light along a random side, as a lamp at the edge does.",
        (
            Parameter(
                "gain", 0.0, 1.0, "largest change of brightness (white = 1); uniform both ways",
                identity=0.0, default=0.2, unit="%",
            ),
        ),
    ),
    Operation(
        "linear_corner_illumination",
        "Add or take away light towards a random corner.",
        (
            Parameter(
                "gain", 0.0, 1.0, "largest change of brightness (white = 1); uniform both ways",
                identity=0.0, default=0.2, unit="%",
            ),
        ),
    ),
    Operation(
        "gaussian_illumination",
        "Add or take away a spot of light at a random place.",
        (
            Parameter(
                "gain", 0.0, 1.0, "largest change of brightness (white = 1); uniform both ways",
                identity=0.0, default=0.2, unit="%",
            ),
        ),
    ),
    Operation(
        "plasma_shadow",
        "Darken irregular, cloud-like patches.",
        (
            Parameter(
                "shade", 0.0, 1.0, "deepest shadow (white = 1); uniform from 0",
                identity=0.0, default=0.2, unit="%",
            ),
        ),
        grained=True,
    ),
    Operation(
        "plasma_brightness",
        "Brighten and darken irregular, cloud-like patches.",
        (
            Parameter(
                "gain", 0.0, 1.0, "largest change of brightness (white = 1); uniform from 0",
                identity=0.0, default=0.3, unit="%",
            ),
        ),
        grained=True,
    ),
    Operation(
        "plasma_contrast",
        "Strengthen and weaken the contrast in irregular, cloud-like patches.",
        (
            Parameter(
                "amount", 0.0, 1.0,
                "largest move from factor 1 towards clouds of factors between 0 and 4; uniform "
                "from 0",
                identity=0.0, default=0.5,
            ),
        ),
        grained=True,
    ),
)  # fmt: skip

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

COVERED: dict[str, str] = {
    "ColorJiggle": "color_jitter",
    "ColorJitter": "color_jitter",
    "RandomAffine": "affine",
    "RandomAutoContrast": "autocontrast",
    "RandomBoxBlur": "box_blur",
    "RandomBrightness": "color_jitter",
    "RandomChannelDropout": "channel_dropout",
    "RandomChannelShuffle": "channel_shuffle",
    "RandomClahe": "clahe",
    "RandomContrast": "color_jitter",
    "RandomCrop": "resized_crop",
    "RandomElasticTransform": "elastic",
    "RandomEqualize": "equalize",
    "RandomErasing": "erasing",
    "RandomFisheye": "fisheye",
    "RandomGamma": "gamma",
    "RandomGaussianBlur": "gaussian_blur",
    "RandomGaussianIllumination": "gaussian_illumination",
    "RandomGaussianNoise": "gaussian_noise",
    "RandomGrayscale": "grayscale",
    "RandomHorizontalFlip": "horizontal_flip",
    "RandomHue": "color_jitter",
    "RandomInvert": "invert",
    "RandomJPEG": "jpeg",
    "RandomJigsaw": "jigsaw",
    "RandomLinearCornerIllumination": "linear_corner_illumination",
    "RandomLinearIllumination": "linear_illumination",
    "RandomMedianBlur": "median_blur",
    "RandomMotionBlur": "motion_blur",
    "RandomPerspective": "perspective",
    "RandomPlanckianJitter": "planckian_jitter",
    "RandomPlasmaBrightness": "plasma_brightness",
    "RandomPlasmaContrast": "plasma_contrast",
    "RandomPlasmaShadow": "plasma_shadow",
    "RandomPosterize": "posterize",
    "RandomRGBShift": "rgb_shift",
    "RandomRain": "rain",
    "RandomResizedCrop": "resized_crop",
    "RandomRotation": "rotation",
    "RandomRotation90": "rotate90",
    "RandomSaltAndPepperNoise": "salt_and_pepper",
    "RandomSaturation": "color_jitter",
    "RandomSharpness": "sharpness",
    "RandomShear": "affine",
    "RandomSnow": "snow",
    "RandomSolarize": "solarize",
    "RandomThinPlateSpline": "thin_plate_spline",
    "RandomTranslate": "affine",
    "RandomVerticalFlip": "vertical_flip",
}
"""Kornia's 2D augmentation -> the operation that does what it does."""

_SHAPE = "changes the shape; views are resized where they are made"
_PARTNER = "mixes images; both views of a pair must come from one image"
LEFT_OUT: dict[str, str] = {
    "CenterCrop": _SHAPE,
    "LongestMaxSize": _SHAPE,
    "PadTo": _SHAPE,
    "Resize": _SHAPE,
    "SmallestMaxSize": _SHAPE,
    "Denormalize": "nothing random; views stay in [0, 1] until the encoder",
    "Normalize": "nothing random; done behind the views",
    "PatchMix": _PARTNER,
    "RandomCutMixV2": _PARTNER,
    "RandomMixUpV2": _PARTNER,
    "RandomMosaic": _PARTNER,
    "RandomTransplantation": _PARTNER,
    "RandomDissolving": "downloads a diffusion model",
}
"""Kornia's 2D augmentation -> why it is no operation."""
