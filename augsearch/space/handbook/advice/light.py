"""Advice on light that varies over the picture."""

from __future__ import annotations

from augsearch.space.handbook.advice.form import Advice, OpAdvice

LIGHT: dict[str, OpAdvice] = {
    "linear_illumination": OpAdvice(
        inspection=Advice(
            "A lamp at one edge, aged or moved: common on every line.",
            "Dents and waviness are told by just such gradients.",
        ),
        satellite=Advice(
            "Haze to one side and the view angle across a swath.",
            "Strong gains clip one side: snow, sand and roofs look alike.",
        ),
        microscopy=Advice(
            "A lamp that is tilted or off the axis.",
            "A gradient of the background passes for stain density.",
        ),
        natural=Advice(
            "Window light and low sun from one side.",
            "Strong gains clip one side to white or black.",
        ),
    ),
    "linear_corner_illumination": OpAdvice(
        inspection=Advice(
            "A lamp in one corner, or a skewed light bar.",
            "Dents and waviness are told by just such gradients.",
        ),
        satellite=Advice(
            "Vignetting and haze towards a corner; seams of mosaics.",
            "Strong gains clip a corner: snow, sand and roofs look alike.",
        ),
        microscopy=Advice(
            "A condenser that is off the axis.",
            "A gradient of the background passes for stain density.",
        ),
        natural=Advice(
            "Light that falls in from a corner.",
            "Beside linear_illumination it adds little; both together clip.",
        ),
    ),
    "gaussian_illumination": OpAdvice(
        inspection=Advice(
            "Glare, and the hot spot of a ring light.",
            "A soft bright or dark spot is what stains and dents look like.",
        ),
        satellite=Advice(
            "Sun glint and the hot spot of drone pictures.",
            "Passes for smoke, thin cloud or a bright field.",
        ),
        microscopy=Advice(
            "Uneven field of the condenser: bright centre, dark rim.",
            "Where local density decides (scores of staining), a spot falsifies it.",
        ),
        natural=Advice(
            "Flash, lamps and vignetting.",
            "Strong gains clip, and small objects vanish in the spot.",
        ),
    ),
    "plasma_shadow": OpAdvice(
        inspection=Advice(
            "Hardly any use under fixed light; hand-held shots on the shop floor.",
            "Irregular dark patches are what stains, oil and oxide look like.",
        ),
        satellite=Advice(
            "Shadows of clouds: irregular dark patches.",
            "Passes for water and burnt land; deep shades hide what lies below.",
        ),
        microscopy=Advice(
            "Hardly any use: at most debris out of focus.",
            "Passes for clumps of stain and folds.",
        ),
        natural=Advice(
            "Shadows of leaves and buildings.",
            "Hard edges pass for objects; deep shades hide parts.",
        ),
    ),
    "plasma_brightness": OpAdvice(
        inspection=Advice(
            "Mottled reflections under uneven light.",
            "Clouds of light and dark are what stains and oxide look like.",
        ),
        satellite=Advice(
            "Thin cloud and patchy haze.",
            "Borders of fields drown in the mottling.",
        ),
        microscopy=Advice(
            "Uneven thickness of the section.",
            "Local stain density is falsified.",
        ),
        natural=Advice(
            "Dappled light.",
            "Plain walls, skies and skin get a texture that is not theirs.",
        ),
    ),
    "plasma_contrast": OpAdvice(
        inspection=Advice(
            "Films of oil and patchy glare that take contrast in places.",
            "Faint defects fade where contrast is taken; the finish looks worn.",
        ),
        satellite=Advice(
            "Patchy haze takes contrast in places.",
            "Neighbouring crops merge where contrast is taken.",
        ),
        microscopy=Advice(
            "Staining and focus that vary over the section.",
            "Chromatin contrast is a finding, and here it varies at random.",
        ),
        natural=Advice(
            "Mist and dirty lenses.",
            "Passes for a change of material.",
        ),
    ),
}
