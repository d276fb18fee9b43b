"""Operations on colour and tone."""

from __future__ import annotations

from augsearch.space.catalogue.form import Operation, Parameter

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
