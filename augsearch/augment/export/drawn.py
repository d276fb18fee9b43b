"""What each operation draws for one image, in the units of a picture of a given size.

The catalogue says in words how a magnitude follows from a parameter; this is the same for machines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from augsearch.augment.ops.illumination import ROUGHNESS, SPOT_CENTRE, SPOT_SIGMA
from augsearch.augment.ops.warp import FISHEYE_POWER
from augsearch.augment.ops.weather import SHORTEST_DROP

AREA, ASPECT, WHITE, AXIS = "share of the area", "width over height", "white is 1", "share of axis"
FACTOR, DEGREES, PIXELS, WHOLE = "factor", "degrees", "pixels", "number"


@dataclass(frozen=True)
class Drawn:
    """Independent numbers that one image gets.

    Attributes:
        what: they decide.
        distribution: uniform or log_uniform in [low, high]; whole numbers low..high or one of
            `choices`, each as likely.
        count: how many of them, one after another or for each of what `what` names.
    """

    what: str
    distribution: Literal["uniform", "log_uniform", "whole", "choice"]
    unit: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Any, ...] = ()
    count: int = 1

    def as_json(self) -> dict[str, Any]:
        """Without what does not apply."""
        bounds: dict[str, Any] = {"low": self.low, "high": self.high}
        if self.distribution == "choice":
            bounds = {"choices": list(self.choices)}
        form = {"what": self.what, "distribution": self.distribution, **bounds, "unit": self.unit}
        return form if self.count == 1 else {**form, "count": self.count}


Values = Mapping[str, float]
Draws = Callable[[Values, int], list[Drawn]]


def _up_to(what: str, most: float, unit: str) -> Drawn:
    return Drawn(what, "uniform", unit, 0.0, most)


def _between(what: str, span: tuple[float, float], unit: str, count: int = 1) -> Drawn:
    return Drawn(what, "uniform", unit, *span, count=count)


def _both_ways(what: str, most: float, unit: str, count: int = 1) -> Drawn:
    return Drawn(what, "uniform", unit, -most, most, count=count)


def _log(what: str, most: float, unit: str) -> Drawn:
    return Drawn(what, "log_uniform", unit, 1 / most, most)


def _whole(what: str, low: float, high: float, unit: str = WHOLE) -> Drawn:
    return Drawn(what, "whole", unit, int(low), int(high))


def _choice(what: str, choices: tuple[Any, ...], unit: str) -> Drawn:
    return Drawn(what, "choice", unit, choices=choices)


def _color_jitter(v: Values, _size: int) -> list[Drawn]:
    factors = [
        _between(f"{part} factor", (1 - v[part], 1 + v[part]), FACTOR)
        for part in ("brightness", "contrast", "saturation")
        if v[part]
    ]
    return [
        *factors,
        *([_both_ways("turn of the hue", 360 * v["hue"], DEGREES)] if v["hue"] else []),
    ]


def _plasma(*more: Drawn) -> list[Drawn]:
    return [_between("roughness of the clouds (diamond-square)", ROUGHNESS, FACTOR), *more]


def _light(v: Values, *more: Drawn) -> list[Drawn]:
    return [_both_ways("light added at the brightest place", v["gain"], WHITE), *more]


DRAWN: Mapping[str, Draws] = {
    "resized_crop": lambda v, _: [
        _between("area kept; drawn with the aspect ratio up to ten times until it fits, else all",
                 (v["scale_min"], 1.0), AREA),
        _log("aspect ratio, relative to the image's own", v["ratio"], ASPECT),
        _between("place of the left and of the upper edge, of what is free", (0.0, 1.0), AXIS, 2),
    ],
    "horizontal_flip": lambda *_: [],
    "vertical_flip": lambda *_: [],
    "rotate90": lambda *_: [_choice("turn", (90, 180, 270), DEGREES)],
    "rotation": lambda v, _: [_both_ways("turn", v["degrees"], DEGREES)],
    "affine": lambda v, s: [
        _both_ways("shift along x, along y", v["translate"] * s, PIXELS, 2),
        _log("zoom", v["zoom"], FACTOR),
        _both_ways("shear along x, along y", v["shear"], DEGREES, 2),
    ],
    "perspective": lambda v, s: [
        Drawn("move inwards of the corners upper left, upper right, lower right, lower left, each "
              "along x, along y", "uniform", PIXELS, 0.0, v["distortion"] * s / 2, count=8),
    ],
    "elastic": lambda v, s: [
        _up_to("standard deviation of the shifts", v["displacement"] * s, PIXELS),
    ],
    "thin_plate_spline": lambda v, s: [
        _both_ways("move of each corner and of the centre, each along x, along y",
                   v["distortion"] * s / 2, PIXELS, 10),
    ],
    "fisheye": lambda v, s: [
        _up_to("bending a: a pixel at x comes from x + x a r^b, x in half sides", v["amount"],
               FACTOR),
        _both_ways("optical centre, from which r counts, along x, along y", v["centre"] * s / 2,
                   PIXELS, 2),
        _between("exponent b", FISHEYE_POWER, FACTOR),
    ],
    "jigsaw": lambda v, _: [_whole("pieces along each side, then mixed up", 1, v["grid"])],
    "color_jitter": _color_jitter,
    "grayscale": lambda *_: [],
    "rgb_shift": lambda v, _: [_both_ways("added to each channel", v["shift"], WHITE, 3)],
    "channel_shuffle": lambda *_: [
        _choice("order of the channels", ("brg", "gbr", "rbg", "grb", "bgr"), "order"),
    ],
    "channel_dropout": lambda v, _: [_whole("channels that turn black", 1, v["channels"])],
    "planckian_jitter": lambda v, _: [
        _both_ways("way from 6500 K to 3000 K (-1) or to 15000 K (1)", v["shift"], FACTOR),
    ],
    "gamma": lambda v, _: [_log("exponent", v["gamma"], FACTOR)],
    "invert": lambda *_: [],
    "solarize": lambda v, _: [
        _between("threshold above which pixels are inverted", (v["threshold_min"], 1.0), WHITE),
    ],
    "posterize": lambda v, _: [_whole("bits kept of each channel", v["bits_min"], 8, "bits")],
    "equalize": lambda *_: [],
    "autocontrast": lambda *_: [],
    "clahe": lambda v, _: [_between("contrast limit", (1.0, v["clip_limit"]), FACTOR)],
    "gaussian_blur": lambda v, s: [_up_to("standard deviation", v["sigma"] * s, PIXELS)],
    "box_blur": lambda v, s: [_up_to("side of the square", v["length"] * s, PIXELS)],
    "median_blur": lambda v, s: [_up_to("side of the window", v["length"] * s, PIXELS)],
    "motion_blur": lambda v, s: [
        _up_to("length of the smear", v["length"] * s, PIXELS),
        _between("its direction", (0.0, 180.0), DEGREES),
    ],
    "sharpness": lambda v, _: [_between("sharpness factor", (1.0, 1 + v["amount"]), FACTOR)],
    "gaussian_noise": lambda v, _: [_up_to("standard deviation", v["std"], WHITE)],
    "salt_and_pepper": lambda v, _: [
        _up_to("cells hit, white or black, each as likely", v["amount"], "share of the cells"),
    ],
    "erasing": lambda v, _: [
        _up_to("area covered with the image's mean", v["area"], AREA),
        _log("aspect ratio of the area", v["ratio"], ASPECT),
        _between("place of its left and of its upper edge, of what is free", (0.0, 1.0), AXIS, 2),
    ],
    "jpeg": lambda v, _: [_between("quality", (v["quality_min"], 100.0), "JPEG quality")],
    "rain": lambda v, s: [
        _up_to("area of the drops", v["amount"], AREA),
        _between("length of the drops", (SHORTEST_DROP * v["length"] * s, v["length"] * s), PIXELS),
        _both_ways("slant from the vertical", v["slant"], DEGREES),
    ],
    "snow": lambda v, _: [
        _between("lightness factor of dark pixels", (1.0, v["brightness"]), FACTOR),
        _up_to("lightness up to which a pixel is dark", v["coverage"], WHITE),
    ],
    "linear_illumination": lambda v, _: _light(
        v, _choice("side", ("bottom", "top", "right", "left"), "side")
    ),
    "linear_corner_illumination": lambda v, _: _light(
        v, _choice("corner", ("lower right", "lower left", "upper right", "upper left"), "corner")
    ),
    "gaussian_illumination": lambda v, _: _light(
        v,
        _between("centre of the spot along y, along x", SPOT_CENTRE, AXIS, 2),
        _between("standard deviation of the spot along y, along x", SPOT_SIGMA, AXIS, 2),
    ),
    "plasma_shadow": lambda v, _: _plasma(
        _between("level below which clouds are shade", (0.0, 1.0), FACTOR),
        _up_to("depth of the shade", v["shade"], WHITE),
    ),
    "plasma_brightness": lambda v, _: _plasma(
        _up_to("light that the clouds add or take", v["gain"], WHITE)
    ),
    "plasma_contrast": lambda v, _: _plasma(
        _up_to("move of the contrast from 1 towards the clouds', 0 to 4", v["amount"], FACTOR)
    ),
}  # fmt: skip
