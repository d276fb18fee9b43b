"""The implementation of every operation of the catalogue, by name: the reference, with Kornia."""

from __future__ import annotations

from augsearch.augment.blur import gaussian_blur, motion_blur, sharpness
from augsearch.augment.colour import (
    autocontrast,
    clahe,
    color_jitter,
    equalize,
    gamma,
    grayscale,
    invert,
    posterize,
    solarize,
)
from augsearch.augment.geometric import (
    CROP_SLOTS,
    affine,
    horizontal_flip,
    perspective,
    resized_crop,
    rotate90,
    rotation,
    vertical_flip,
)
from augsearch.augment.illumination import (
    gaussian_illumination,
    linear_illumination,
    plasma_shadow,
)
from augsearch.augment.noise import erasing, gaussian_noise, jpeg, salt_and_pepper
from augsearch.augment.operation import Implementation

IMPLEMENTATIONS: dict[str, Implementation] = {
    "resized_crop": Implementation(CROP_SLOTS, resized_crop),
    "horizontal_flip": Implementation(0, horizontal_flip),
    "vertical_flip": Implementation(0, vertical_flip),
    "rotate90": Implementation(1, rotate90),
    "rotation": Implementation(1, rotation),
    "affine": Implementation(5, affine),
    "perspective": Implementation(8, perspective),
    "color_jitter": Implementation(4, color_jitter),
    "grayscale": Implementation(0, grayscale),
    "gamma": Implementation(1, gamma),
    "invert": Implementation(0, invert),
    "solarize": Implementation(1, solarize),
    "posterize": Implementation(1, posterize),
    "equalize": Implementation(0, equalize),
    "autocontrast": Implementation(0, autocontrast),
    "clahe": Implementation(1, clahe),
    "gaussian_blur": Implementation(1, gaussian_blur),
    "motion_blur": Implementation(2, motion_blur),
    "sharpness": Implementation(1, sharpness),
    "gaussian_noise": Implementation(1, gaussian_noise),
    "salt_and_pepper": Implementation(1, salt_and_pepper),
    "erasing": Implementation(4, erasing),
    "jpeg": Implementation(1, jpeg),
    "linear_illumination": Implementation(2, linear_illumination),
    "gaussian_illumination": Implementation(5, gaussian_illumination),
    "plasma_shadow": Implementation(3, plasma_shadow),
}
