"""Advice on blur and sharpening."""

from __future__ import annotations

from augsearch.space.handbook.advice.form import Advice, OpAdvice

BLUR: dict[str, OpAdvice] = {
    "gaussian_blur": OpAdvice(
        inspection=Advice(
            "Focus drifts with the height of the part.",
            "Hairline cracks and pinholes live in the same band and go first.",
        ),
        satellite=Advice(
            "Atmosphere, optics and resampling blur.",
            "Cars, paths and single trees go, and the texture that tells crops apart.",
        ),
        microscopy=Advice(
            "Focus drifts through the thickness of the slide.",
            "Chromatin, membranes and bacteria go first.",
        ),
        natural=Advice(
            "Part of SimCLR's policy: defocus and low resolution.",
            "Small pictures have little to lose: keep sigma near 0.01.",
        ),
    ),
    "box_blur": OpAdvice(
        inspection=Advice(
            "Binning of pixels and averaging over scan lines.",
            "Hairline cracks go; fine stripes can even swap light and dark.",
        ),
        satellite=Advice(
            "Mixes neighbours as a coarser ground resolution does.",
            "Rows of trees or panels can swap light and dark, besides losing contrast.",
        ),
        microscopy=Advice(
            "Binning of the camera's pixels.",
            "Granules go; fine fringes can swap light and dark.",
        ),
        natural=Advice(
            "Low resolution; gaussian_blur is closer to a lens.",
            "Small pictures have little to lose.",
        ),
    ),
    "median_blur": OpAdvice(
        inspection=Advice(
            "Camera firmware that takes out dead pixels and noise.",
            "Thin scratches, pinholes and dust vanish without a trace.",
        ),
        satellite=Advice(
            "Denoised and despeckled products.",
            "Cars, boats, paths and single trees are taken out altogether.",
        ),
        microscopy=Advice(
            "Denoised pictures, a common preprocessing step.",
            "Granules and bacteria vanish while large edges stay crisp.",
        ),
        natural=Advice(
            "Denoising and beauty filters of phones.",
            "Fur, leaves and skin turn to plastic; small pictures lose most.",
        ),
    ),
    "motion_blur": OpAdvice(
        inspection=Advice(
            "The line moves during the exposure: a few pixels of smear.",
            "Fine scratches across the smear go; here any direction comes, on a line one.",
        ),
        satellite=Advice(
            "Drones and aircraft; satellites compensate for their motion.",
            "Streaks look like furrows, and small objects go.",
        ),
        microscopy=Advice(
            "A stage that still moves; swimming cells.",
            "Round nuclei smear into long ones, which is a finding of its own.",
        ),
        natural=Advice(
            "Shaken cameras and moving subjects.",
            "In small pictures a long smear leaves no shape.",
        ),
    ),
    "sharpness": OpAdvice(
        inspection=Advice(
            "Lenses and camera firmware differ in crispness.",
            "Halos along edges look like cracks, and noise grows.",
        ),
        satellite=Advice(
            "Pansharpened and resampled products differ in crispness.",
            "Rims around roofs and roads; noise in water and shade grows.",
        ),
        microscopy=Advice(
            "Scanners sharpen differently from one maker to the next.",
            "Halos imitate membranes and bright rims.",
        ),
        natural=Advice(
            "Phones sharpen; one of TrivialAugment's members.",
            "High amounts make texture out of noise.",
        ),
    ),
}
