"""Advice on operations that change the value of each pixel."""

from __future__ import annotations

from augsearch.space.handbook.advice.form import Advice, OpAdvice

COLOUR: dict[str, OpAdvice] = {
    "color_jitter": OpAdvice(
        inspection=Advice(
            "Lamps age: brightness and contrast vary. Keep hue and saturation near 0.",
            "Hue erases rust and heat tint; strong brightness erases stains told by their grey.",
        ),
        satellite=Advice(
            "Season, sun and haze: brightness, contrast and saturation.",
            "Large hue shifts make field, soil and water trade colours.",
        ),
        microscopy=Advice(
            "Stain and lamp vary between labs: moderate saturation, small hue.",
            "Stain colour is the finding (H&E, Gram, DAB brown): large hue erases it.",
        ),
        natural=Advice(
            "Essential to SimCLR: without it, crops are matched by their colours alone.",
            "Classes told by colour: birds, flowers, ripe fruit.",
        ),
    ),
    "grayscale": OpAdvice(
        inspection=Advice(
            "Where colour is an accident of lamp, coating or camera.",
            "Rust, burn marks, temper colours and coloured wires disappear.",
        ),
        satellite=Advice(
            "Panchromatic beside colour pictures: texture must carry the class.",
            "Vegetation, soil and water of equal brightness become one.",
        ),
        microscopy=Advice(
            "Mixed stains where shape decides; phase contrast loses nothing.",
            "Stains that mark the target (H&E, Gram, DAB) lose their meaning.",
        ),
        natural=Advice(
            "Closes the colour shortcut altogether; SimCLR uses p = 0.2.",
            "Classes told by colour; keep p low, so that colour is learnt at all.",
        ),
    ),
    "gamma": OpAdvice(
        inspection=Advice(
            "Exposure and tone curve differ between cameras.",
            "Extremes drown dark defects or bleach bright ones.",
        ),
        satellite=Advice(
            "Haze, height of the sun, and the provider's tone curve.",
            "Shadow, water and dark forest merge at high exponents.",
        ),
        microscopy=Advice(
            "Exposure and tone curve differ between microscopes.",
            "Stain density is a quantity, and a bent curve falsifies it.",
        ),
        natural=Advice(
            "Wrong exposure and the tone curves of cameras.",
            "Extremes leave nothing in shadows or in lights.",
        ),
    ),
    "invert": OpAdvice(
        inspection=Advice(
            "No camera on a line does this; at most bright-field beside dark-field lighting.",
            "Dark inclusions and bright scratches swap their looks.",
        ),
        satellite=Advice(
            "No use: no sensor delivers negatives.",
            "Water and bright roofs, shadow and snow swap their brightness.",
        ),
        microscopy=Advice(
            "Bright-field beside dark-field or fluorescence pictures only.",
            "What absorbs and what glows swap; stains turn into their complements.",
        ),
        natural=Advice(
            "No camera does this; a regulariser at most.",
            "Every colour turns into its complement, light falls from below.",
        ),
    ),
    "solarize": OpAdvice(
        inspection=Advice(
            "No camera on a line does this.",
            "Highlights turn dark and look like pits and stains.",
        ),
        satellite=Advice(
            "No use: no sensor does this.",
            "Cloud, snow, sand and bright roofs turn as dark as water.",
        ),
        microscopy=Advice(
            "No use: no microscope does this.",
            "In bright field it is the empty background that turns dark.",
        ),
        natural=Advice(
            "BYOL's addition, in one view only at p = 0.2; a regulariser, no camera effect.",
            "Skies and skin invert; light and shade stop making sense.",
        ),
    ),
    "posterize": OpAdvice(
        inspection=Advice(
            "Old archives stored with few grey levels only.",
            "Faint stains and slow shading vanish between two levels.",
        ),
        satellite=Advice(
            "Sensors of unlike bit depth squeezed into 8 bits.",
            "Contrast between neighbouring crops vanishes; water and haze show bands.",
        ),
        microscopy=Advice(
            "Hardly any use: gradients of stain are the information.",
            "Chromatin texture and weak fluorescence fall between two levels.",
        ),
        natural=Advice(
            "A mild regulariser; one of TrivialAugment's members.",
            "At 1 or 2 bits shading breaks into flat patches and shape goes with it.",
        ),
    ),
    "equalize": OpAdvice(
        inspection=Advice(
            "Makes exposure irrelevant where structure alone decides.",
            "Blows up the grain of a clean surface until it looks like a texture defect.",
        ),
        satellite=Advice(
            "Levels haze and exposure between scenes.",
            "Channels are flattened apart: vegetation and water lose their tint.",
        ),
        microscopy=Advice(
            "Phase-contrast and fluorescence pictures of unlike exposure.",
            "Channels are flattened apart: stains change hue, background turns into signal.",
        ),
        natural=Advice(
            "Makes exposure irrelevant; one of TrivialAugment's members.",
            "Night, fog and smooth skies turn noisy; colours shift.",
        ),
    ),
    "autocontrast": OpAdvice(
        inspection=Advice(
            "Levels exposure and gain with little distortion.",
            "One glint sets the range; how dark a part is stops being a cue.",
        ),
        satellite=Advice(
            "Gives back the contrast that haze takes.",
            "Channels are stretched apart, so that the colour of vegetation shifts.",
        ),
        microscopy=Advice(
            "Levels lamp and exposure between slides.",
            "Weak and strong staining become alike; an empty field becomes noise.",
        ),
        natural=Advice(
            "Mild and safe; one of TrivialAugment's members.",
            "Does next to nothing to photographs that fill the range; fog is taken away.",
        ),
    ),
    "clahe": OpAdvice(
        inspection=Advice(
            "Brings out faint defects under uneven light.",
            "Amplifies grain on clean metal until it looks like damage.",
        ),
        satellite=Advice(
            "Opens shadowed streets and hazy scenes.",
            "Even areas (water, bare fields) get texture made of noise.",
        ),
        microscopy=Advice(
            "Faint structures under uneven light; a common preprocessing step.",
            "Local stain density is falsified, and background turns granular.",
        ),
        natural=Advice(
            "Backlit scenes; seldom worth its time.",
            "High limits make halos and noisy skies.",
        ),
    ),
    "channel_shuffle": OpAdvice(
        inspection=Advice(
            "Archives that mix RGB with BGR; no other use on a line.",
            "Rust turns green or blue; coloured wires and marks change meaning.",
        ),
        satellite=Advice(
            "False-colour composites whose bands come in unlike orders.",
            "Vegetation, soil and water trade colours.",
        ),
        microscopy=Advice(
            "Fluorescence composites whose channel colours are arbitrary.",
            "Stain colour is the finding (H&E, Gram), and here it is random.",
        ),
        natural=Advice(
            "Against colour shortcuts, where colour jitter is not enough.",
            "Grass turns red and skin blue: colour stops meaning anything.",
        ),
    ),
    "channel_dropout": OpAdvice(
        inspection=Advice(
            "A lost lamp, where each lamp has a channel of its own; otherwise no use.",
            "The channel that shows the defect may be the one that goes.",
        ),
        satellite=Advice(
            "Missing or damaged bands.",
            "Vegetation and water are told by the contrast between bands.",
        ),
        microscopy=Advice(
            "A fluorescence channel that was not recorded.",
            "A marker lives in one channel: without it the class is gone.",
        ),
        natural=Advice(
            "A regulariser against colour shortcuts; no camera does this.",
            "Strong casts in place of colours; classes told by colour suffer.",
        ),
    ),
    "rgb_shift": OpAdvice(
        inspection=Advice(
            "Drift of white balance and of the lamp's colour.",
            "Faint tints (heat, oxide) drown in the shift.",
        ),
        satellite=Advice(
            "Haze and unlike calibration of the bands.",
            "Shifts the difference between bands that tells vegetation from water.",
        ),
        microscopy=Advice(
            "White balance differs between microscopes.",
            "The bright background takes on a tint in which pale stains drown.",
        ),
        natural=Advice(
            "Casts of lamps and cameras.",
            "Adds to dark and light alike: blacks turn coloured, as under no lamp.",
        ),
    ),
    "planckian_jitter": OpAdvice(
        inspection=Advice(
            "Halogen, LED or daylight: a lamp was changed.",
            "Straw and blue temper colours lie along the same axis.",
        ),
        satellite=Advice(
            "Height of the sun and atmosphere make scenes warmer or cooler.",
            "Dry and green land differ in warmth as well.",
        ),
        microscopy=Advice(
            "Halogen beside LED microscopes; white balance.",
            "Brown DAB and blue haematoxylin lie along the same axis.",
        ),
        natural=Advice(
            "Daylight, shade, tungsten: realistic where hue jitter is not.",
            "Weaker than hue jitter: crops can still be matched by colour.",
        ),
    ),
}
