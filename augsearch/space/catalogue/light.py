"""Operations on the light that falls on a scene."""

from __future__ import annotations

from augsearch.space.catalogue.form import Operation, Parameter

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
