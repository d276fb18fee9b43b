"""Advice on operations that move pixels."""

from __future__ import annotations

from augsearch.space.handbook.advice.form import Advice, OpAdvice

GEOMETRIC: dict[str, OpAdvice] = {
    "resized_crop": OpAdvice(
        inspection=Advice(
            "Position along the line is nuisance; keep scale_min high enough to hold the defect.",
            "A small crop loses the one scratch, and the two views agree on clean metal.",
        ),
        satellite=Advice(
            "Scenes are spread out and sensors differ in scale: strong crops are plausible.",
            "Scenes named after one object (a bridge, a ship) lose it in small crops.",
        ),
        microscopy=Advice(
            "Tissue and crowded fields: a part of them looks like the whole.",
            "Zoom changes apparent size, which often tells the cell type.",
        ),
        natural=Advice(
            "The op that SimCLR cannot do without: part and whole become alike.",
            "In scenes with many objects, two small crops may share nothing.",
        ),
    ),
    "horizontal_flip": OpAdvice(
        inspection=Advice(
            "A scratch mirrored is a scratch; exact and almost free.",
            "Printed characters, screw threads and left- or right-hand parts change meaning.",
        ),
        satellite=Advice(
            "The view from above has no left or right; exact and almost free.",
            "Shadows change side, which harms only where the direction of the sun is a cue.",
        ),
        microscopy=Advice(
            "A slide has no left or right; exact and almost free.",
            "Handed structures (coiled shells, embryos, inner organs) lose their side.",
        ),
        natural=Advice(
            "Most things look as likely mirrored; part of SimCLR's policy.",
            "Text, road signs and the side of the road that one drives on become wrong.",
        ),
    ),
    "vertical_flip": OpAdvice(
        inspection=Advice(
            "Flat parts and webs without a top; exact and almost free.",
            "Drips and runs follow gravity, and a lamp above makes dents and bumps swap looks.",
        ),
        satellite=Advice(
            "There is no up or down from above; exact and almost free.",
            "Flipped shadows make hills look like hollows; facades seen at an angle lean wrongly.",
        ),
        microscopy=Advice(
            "A slide has no up or down; exact and almost free.",
            "Sections mounted by convention (skin, retina) show their layers in one order.",
        ),
        natural=Advice(
            "Textures and close-ups from straight above only.",
            "Gravity tells sky from ground, and the encoder learns to ignore it.",
        ),
    ),
    "rotate90": OpAdvice(
        inspection=Advice(
            "Parts that lie in any of four ways; exact on square images.",
            "Rolled or brushed metal: the direction can be what tells the class.",
        ),
        satellite=Advice(
            "Orientation means nothing from above; exact on square images.",
            "Shadows turn too, which harms only where they are a cue, as for heights.",
        ),
        microscopy=Advice(
            "Cells and tissue lie in any direction; exact on square images.",
            "Where tissue has a direction (muscle, layered epithelium), it is lost as a cue.",
        ),
        natural=Advice(
            "Textures and close-ups from straight above only.",
            "Photographs stand upright: a quarter turn makes what the camera never gives.",
        ),
    ),
    "rotation": OpAdvice(
        inspection=Advice(
            "Parts that sit slightly askew: 5 to 15 degrees cover most fixtures.",
            "Direction of rolling or brushing can be the class; resampling softens fine cracks.",
        ),
        satellite=Advice(
            "Any heading is as likely: up to 180 degrees.",
            "Mirrored corners invent roads and plots; resampling blurs what is a pixel wide.",
        ),
        microscopy=Advice(
            "Cells have no up: up to 180 degrees.",
            "Mirrored corners invent touching cells; resampling softens fine chromatin.",
        ),
        natural=Advice(
            "Cameras tilt: up to 15 or 30 degrees.",
            "Large angles contradict gravity: horizons, standing things, 6 and 9.",
        ),
    ),
    "affine": OpAdvice(
        inspection=Advice(
            "Loose fixtures and varying distance: small shifts, zoom up to about 1.1.",
            "Where size or angle decides between pass and fail, zoom and shear erase it.",
        ),
        satellite=Advice(
            "Errors of registration and slightly different ground resolution.",
            "Shear bends the right angles that tell built from grown; zoom hides object size.",
        ),
        microscopy=Advice(
            "Shift is harmless, and soft cells squeeze and shear.",
            "Zoom changes the size of nuclei and cells; shear turns round cells into sickles.",
        ),
        natural=Advice(
            "Distance and viewpoint; TrivialAugment's shear and shift.",
            "Large shifts show mirrored borders in place of new scene.",
        ),
    ),
    "perspective": OpAdvice(
        inspection=Advice(
            "Tilted cameras and hand-held inspection of large parts.",
            "A camera that is mounted square never tilts; pitch and straight edges get distorted.",
        ),
        satellite=Advice(
            "Oblique pictures from drones and aircraft.",
            "Orthorectified pictures have none; parallel roads and plots converge.",
        ),
        microscopy=Advice(
            "No use: the stage is flat and the objective looks straight down.",
            "Round cells turn oval, and size drifts across the field.",
        ),
        natural=Advice(
            "Signs, facades and other flat things seen from the side.",
            "Strong distortion leaves a small picture amid its own mirror images.",
        ),
    ),
    "elastic": OpAdvice(
        inspection=Advice(
            "Soft goods: textile, leather, rubber, food.",
            "Rigid parts do not bend: straight edges and threads come out looking defective.",
        ),
        satellite=Advice(
            "Hardly any use: at most what terrain correction left over.",
            "Roads, roofs and plots turn wavy.",
        ),
        microscopy=Advice(
            "Tissue stretches in cutting and mounting; the classic op of the field.",
            "Irregular nuclei and cell outlines are a finding, and strong warps make them.",
        ),
        natural=Advice(
            "Handwriting and cloth; little else.",
            "Faces and things made by people look melted.",
        ),
    ),
    "thin_plate_spline": OpAdvice(
        inspection=Advice(
            "Flexible parts, and labels on curved ones.",
            "Edges and distances that a gauge relies on bend.",
        ),
        satellite=Advice(
            "Warped mosaics and poor registration.",
            "Roads bend, and areas grow and shrink within a scene.",
        ),
        microscopy=Advice(
            "Sections stretched unevenly on the slide.",
            "Sizes change from place to place, so that area stops being a cue.",
        ),
        natural=Advice(
            "Pages, cloth and bodies that bend.",
            "Rigid things bend; a face becomes another face.",
        ),
    ),
    "fisheye": OpAdvice(
        inspection=Advice(
            "Endoscopes and wide-angle cameras.",
            "Telecentric and calibrated lenses do not do this; straight edges bow.",
        ),
        satellite=Advice(
            "Action cameras on drones; no satellite does this.",
            "Straight roads bow, and scale changes from centre to rim.",
        ),
        microscopy=Advice(
            "No use: objectives are corrected for it.",
            "Size differs between centre and rim, and size often tells the class.",
        ),
        natural=Advice(
            "Wide-angle, door and action cameras.",
            "Faces and buildings bulge as ordinary lenses never show them.",
        ),
    ),
    "jigsaw": OpAdvice(
        inspection=Advice(
            "Surface classes that are pure texture, where layout means nothing.",
            "Seams look like cracks, and a long scratch is cut to pieces.",
        ),
        satellite=Advice(
            "Land cover that is told by texture.",
            "Layout is the class (runway, junction, harbour), and seams look like roads.",
        ),
        microscopy=Advice(
            "Tissue that is told by texture.",
            "Cells are cut at the seams; the architecture of glands is lost.",
        ),
        natural=Advice(
            "Hardly any use but as a regulariser.",
            "Shape, which tells objects apart, is destroyed; seams invite a shortcut.",
        ),
    ),
}
