"""Operations that look like weather."""

from __future__ import annotations

from augsearch.space.catalogue.form import Operation, Parameter

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
