"""Operations that add noise or lose information."""

from __future__ import annotations

from augsearch.space.catalogue.form import Operation, Parameter

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
