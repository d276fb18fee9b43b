"""The implementation of every operation of the catalogue, by name: the reference, with Kornia."""

from __future__ import annotations

from augsearch.augment.ops.blur import box_blur, gaussian_blur, median_blur, motion_blur, sharpness
from augsearch.augment.ops.channels import (
    channel_dropout,
    channel_shuffle,
    planckian_jitter,
    rgb_shift,
)
from augsearch.augment.ops.colour import (
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
from augsearch.augment.ops.geometric import (
    CROP_SLOTS,
    affine,
    horizontal_flip,
    perspective,
    resized_crop,
    rotate90,
    rotation,
    vertical_flip,
)
from augsearch.augment.ops.illumination import (
    gaussian_illumination,
    linear_corner_illumination,
    linear_illumination,
    plasma_brightness,
    plasma_contrast,
    plasma_shadow,
)
from augsearch.augment.ops.noise import erasing, gaussian_noise, jpeg, salt_and_pepper
from augsearch.augment.ops.operation import Implementation
from augsearch.augment.ops.warp import elastic, fisheye, jigsaw, thin_plate_spline
from augsearch.augment.ops.weather import rain, snow

IMPLEMENTATIONS: dict[str, Implementation] = {
    "resized_crop": Implementation(CROP_SLOTS, resized_crop),
    "horizontal_flip": Implementation(0, horizontal_flip),
    "vertical_flip": Implementation(0, vertical_flip),
    "rotate90": Implementation(1, rotate90),
    "rotation": Implementation(1, rotation),
    "affine": Implementation(5, affine),
    "perspective": Implementation(8, perspective),
    "elastic": Implementation(1, elastic),
    "thin_plate_spline": Implementation(10, thin_plate_spline),
    "fisheye": Implementation(4, fisheye),
    "jigsaw": Implementation(1, jigsaw),
    "color_jitter": Implementation(4, color_jitter),
    "grayscale": Implementation(0, grayscale),
    "rgb_shift": Implementation(3, rgb_shift),
    "channel_shuffle": Implementation(1, channel_shuffle),
    "channel_dropout": Implementation(2, channel_dropout),
    "planckian_jitter": Implementation(1, planckian_jitter),
    "gamma": Implementation(1, gamma),
    "invert": Implementation(0, invert),
    "solarize": Implementation(1, solarize),
    "posterize": Implementation(1, posterize),
    "equalize": Implementation(0, equalize),
    "autocontrast": Implementation(0, autocontrast),
    "clahe": Implementation(1, clahe),
    "gaussian_blur": Implementation(1, gaussian_blur),
    "box_blur": Implementation(1, box_blur),
    "median_blur": Implementation(1, median_blur),
    "motion_blur": Implementation(2, motion_blur),
    "sharpness": Implementation(1, sharpness),
    "gaussian_noise": Implementation(1, gaussian_noise),
    "salt_and_pepper": Implementation(1, salt_and_pepper),
    "erasing": Implementation(4, erasing),
    "jpeg": Implementation(1, jpeg),
    "rain": Implementation(3, rain),
    "snow": Implementation(2, snow),
    "linear_illumination": Implementation(2, linear_illumination),
    "linear_corner_illumination": Implementation(2, linear_corner_illumination),
    "gaussian_illumination": Implementation(5, gaussian_illumination),
    "plasma_shadow": Implementation(3, plasma_shadow),
    "plasma_brightness": Implementation(2, plasma_brightness),
    "plasma_contrast": Implementation(2, plasma_contrast),
}
