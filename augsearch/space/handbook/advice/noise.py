"""Advice on noise, covered parts, compression and weather."""

from __future__ import annotations

from augsearch.space.handbook.advice.form import Advice, OpAdvice

NOISE: dict[str, OpAdvice] = {
    "gaussian_noise": OpAdvice(
        inspection=Advice(
            "Short exposures at high gain are noisy.",
            "Pinholes and fine texture drown in it.",
        ),
        satellite=Advice(
            "Low sun, dark scenes and older sensors.",
            "Drowns the texture of crops; radar speckle multiplies, this adds.",
        ),
        microscopy=Advice(
            "Low light at high gain, as in fluorescence.",
            "Faint signals drown; photon noise grows with the signal, this does not.",
        ),
        natural=Advice(
            "Photographs at high ISO.",
            "Strong noise leaves coarse shapes only.",
        ),
    ),
    "salt_and_pepper": OpAdvice(
        inspection=Advice(
            "Dead pixels, glints of dust.",
            "Looks exactly like pinholes, spatter and inclusions.",
        ),
        satellite=Advice(
            "Dead detectors and transmission errors in raw data.",
            "Products are cleaned of this; cars and boats are a pixel or two themselves.",
        ),
        microscopy=Advice(
            "Hot pixels of long exposures.",
            "Looks like bacteria, granules and debris.",
        ),
        natural=Advice(
            "Hardly any use: cameras take dead pixels out themselves.",
            "A few per cent already drown the detail of small pictures.",
        ),
    ),
    "erasing": OpAdvice(
        inspection=Advice(
            "Grippers, clips and labels that cover a part.",
            "May cover the only defect, and a grey patch looks like one.",
        ),
        satellite=Advice(
            "Masked clouds and missing tiles.",
            "The one object that names the scene may be gone; crops hide enough already.",
        ),
        microscopy=Advice(
            "Debris or ink over a wide field with many cells.",
            "Hides whole cells: on pictures of single cells, the class itself.",
        ),
        natural=Advice(
            "Things stand in front of things; parts must do for the whole.",
            "A large patch on a small object leaves background only.",
        ),
    ),
    "jpeg": OpAdvice(
        inspection=Advice(
            "Archives and network cameras that compress.",
            "Faint texture is what JPEG drops first, and its blocks look like texture.",
        ),
        satellite=Advice(
            "Map tiles from the web are JPEG.",
            "Crop texture goes, and colours mix in blocks; lossless products never show it.",
        ),
        microscopy=Advice(
            "Slide scanners store JPEG tiles of unlike quality.",
            "Stain borders smear (colour is coded coarsely), and block edges look like texture.",
        ),
        natural=Advice(
            "Pictures from the web come in every quality.",
            "Low quality takes texture and colour from small pictures most of all.",
        ),
    ),
    "rain": OpAdvice(
        inspection=Advice(
            "Coolant spray and outdoor assets; no use on a dry line.",
            "Streaks look exactly like scratches.",
        ),
        satellite=Advice(
            "No use: from above one sees clouds, not drops; low drones at most.",
            "Streaks look like wires, furrows and paths.",
        ),
        microscopy=Advice(
            "No use: it does not rain on a slide.",
            "Streaks look like fibres and rod-shaped bacteria.",
        ),
        natural=Advice(
            "Outdoor and driving cameras in bad weather.",
            "In small pictures the streaks cover more than they teach.",
        ),
    ),
    "snow": OpAdvice(
        inspection=Advice(
            "Outdoor assets in winter (rails, roofs); no use indoors.",
            "Dark defects are bleached; oxide and glare look alike.",
        ),
        satellite=Advice(
            "Snow on the ground: season as nuisance.",
            "Confuses snow with cloud, sand and bright roofs.",
        ),
        microscopy=Advice(
            "No use: no microscope does this.",
            "Bleached stains look like weak ones.",
        ),
        natural=Advice(
            "Outdoor and driving cameras in winter.",
            "Shades and dark objects turn white, and colour cues go.",
        ),
    ),
}
