"""Operations that move pixels."""

from __future__ import annotations

from augsearch.space.catalogue.form import Operation, Parameter

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
