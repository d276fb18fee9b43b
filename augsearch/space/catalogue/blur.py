"""Operations on sharpness."""

from __future__ import annotations

from augsearch.space.catalogue.form import Operation, Parameter

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
