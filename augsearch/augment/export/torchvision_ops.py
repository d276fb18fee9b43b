# torchvision has no types.
# mypy: disable-error-code="no-any-return"
"""Operations for one image at a time, as exported torchvision pipelines use them.

Nothing in the search runs this. The operations take their numbers from torch's global generator, as
torchvision's own transforms do; `TwoViewTransform` seeds it for each image and puts it back. Images
are `[C, H, W]` float32 in [0, 1]; the arguments are the catalogue's values.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as F

from augsearch.augment.ops.blur import motion_kernels
from augsearch.augment.ops.geometric import CROP_SLOTS, crop_boxes
from augsearch.augment.ops.grain import carried
from augsearch.augment.ops.operation import Field, Values
from augsearch.augment.stream import DrawStream, hashed
from augsearch.augment.surroundings import Surroundings
from augsearch.errors import DataError

ROUNDING = 1e-4
"""How far outside [0, 1] pixels may lie that were resampled before; nobody could see it."""
Batched = Callable[[Tensor, Tensor, Values, Field], Tensor]


class Gated(nn.Module):
    """Applies `transform` to an image with probability `p`."""

    def __init__(self, transform: Callable[[Tensor], Tensor], p: float) -> None:
        super().__init__()
        self.transform = transform
        self.p = p

    def forward(self, image: Tensor) -> Tensor:
        return self.transform(image) if draw(0, 1) < self.p else image


class ChooseOne(nn.Module):
    """Applies one of `transforms`, all equally likely."""

    def __init__(self, *transforms: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.transforms = transforms

    def forward(self, image: Tensor) -> Tensor:
        return self.transforms[int(torch.randint(len(self.transforms), ()))](image)


class OneImage(nn.Module):
    """Applies a function of batches, uniform numbers and values to one image."""

    def __init__(self, function: Batched, slots: int, **values: float) -> None:
        super().__init__()
        self.function = function
        self.slots = slots
        self.values = values

    def forward(self, image: Tensor) -> Tensor:
        def field(_slot: int, shape: tuple[int, ...]) -> Tensor:
            return torch.rand(1, *shape)

        return self.function(image[None], torch.rand(1, self.slots), self.values, field)[0]


class TwoViewTransform:
    """Maps an image to two views; use it as a data set's `transform`.

    Pillow's images may be of any mode; they are read as they were in the search, see `eight_bits`.
    Tensors `[C, H, W]` and arrays `[H, W, C]` are uint8, or floats in [0, 1]. Every call draws new
    numbers, in every worker, rank and epoch (see `DrawStream`); torch's global generator is left as
    it was. `state_dict` holds what a resumed run needs to draw on.
    """

    def __init__(
        self,
        first: Callable[[Tensor], Tensor],
        second: Callable[[Tensor], Tensor],
        window: tuple[float, float] | None = None,
        surroundings: Surroundings | None = None,
        stream: DrawStream | None = None,
    ) -> None:
        self.first = first
        self.second = second
        self.window = window
        self.surroundings = surroundings or Surroundings()
        self.stream = stream or DrawStream(0)

    def __call__(self, image: object) -> tuple[Tensor, Tensor]:
        tensor = opened(image, self.window, self.surroundings)
        with drawing(self.stream):
            first, second = self.first(tensor).clamp(0, 1), self.second(tensor).clamp(0, 1)
        return self.surroundings.normalised(first), self.surroundings.normalised(second)

    def state_dict(self) -> dict[str, Any]:
        """The calls so far, and how often each worker was started."""
        return self.stream.state()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after `state`."""
        self.stream.set_state(state)


class OneView:
    """Maps an image to one view, where a library asks for each view by itself."""

    def __init__(
        self,
        pipeline: Callable[[Tensor], Tensor],
        window: tuple[float, float] | None,
        surroundings: Surroundings,
        stream: DrawStream,
    ) -> None:
        self.pipeline = pipeline
        self.window = window
        self.surroundings = surroundings
        self.stream = stream

    def __call__(self, image: object) -> Tensor:
        tensor = opened(image, self.window, self.surroundings)
        with drawing(self.stream):
            view = self.pipeline(tensor).clamp(0, 1)
        return self.surroundings.normalised(view)


def opened(image: object, window: tuple[float, float] | None, surroundings: Surroundings) -> Tensor:
    """A picture, tensor or array as `[C, H, W]` float32 in [0, 1], made square."""
    if isinstance(image, Image.Image):
        image = eight_bits(image, window)
    tensor = F.to_image(image)
    if tensor.ndim != 3 or tensor.shape[-1] <= 4 < tensor.shape[0]:  # channels first, and few
        raise DataError(
            f"the image has the shape {list(tensor.shape)}; want one image, [C, H, W] as a tensor "
            "or [H, W, C] as an array"
        )
    return surroundings.square(unit_floats(tensor))


@contextlib.contextmanager
def drawing(stream: DrawStream) -> Iterator[None]:
    """torch's global generator gives the numbers of the stream's next call, and is put back."""
    seed, step = stream.next()
    with seeded(hashed(f"{seed}; {step}")):
        yield


@contextlib.contextmanager
def seeded(number: int) -> Iterator[None]:
    """torch's global generator starts from `number`, and is put back."""
    generator = torch.default_generator
    before = generator.get_state()
    generator.manual_seed(number)
    try:
        yield
    finally:
        generator.set_state(before)


def unit_floats(image: Tensor) -> Tensor:
    """`[C, H, W]` uint8, or floats in [0, 1], as float32.

    Raises:
        DataError: anything else, of which it is not known what is white.
    """
    wanted = "want uint8, or floats in [0, 1]"
    if image.dtype != torch.uint8:
        if not image.is_floating_point():
            raise DataError(f"the image has the type {image.dtype}; {wanted}")
        low, high = (float(extreme) for extreme in image.aminmax())
        if not (low >= -ROUNDING and high <= 1 + ROUNDING):  # also true for NaN
            raise DataError(f"pixel values run from {low:g} to {high:g}; {wanted}")
        image = image.clamp(0, 1)
    return F.to_dtype(image, torch.float32, scale=True)


def eight_bits(
    image: Image.Image, window: tuple[float, float] | None = None
) -> Image.Image | Tensor:
    """The image upright in grey or RGB, 8 bits a channel; transparent pixels lie on white.

    Args:
        window: what becomes black and white in images of more than 8 bits; None to go by the
            smallest of `WHITES` that holds the image's own values (the search looks at all images
            together).

    Raises:
        DataError: colours of 16 bits, of which Pillow gives the upper 8.
    """
    # Known only before the pixels are loaded, as those of `Image.open` are.
    if any(SIXTEEN_BIT_COLOUR.search(str(tile[3])) for tile in getattr(image, "tile", ())):
        raise DataError(
            "a picture of 16 bits a colour, of which Pillow reads 8; read it by other means, and "
            "give floats in [0, 1]"
        )
    with contextlib.suppress(Exception):  # the orientation tag may be damaged
        image = ImageOps.exif_transpose(image)
    if image.mode == "F" or image.mode.startswith("I"):
        values = F.pil_to_tensor(image if image.mode == "F" else image.convert("I")).double()
        black, light = window or black_and_white(values, image.mode == "F")
        scaled = (values - black) * (255 / (light - black))
        return scaled.nan_to_num(0, 255, 0).clamp(0, 255).round().to(torch.uint8)
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


SIXTEEN_BIT_COLOUR = re.compile(r"\b(RGB[AX]?|LA|[RGBA]);16[BLN]")
WHITES = (255, 1023, 4095, 16383, 65535)


def black_and_white(values: Tensor, floats: bool) -> tuple[float, float]:
    """Which of these values are black and white; float files may overshoot by 1 %."""
    finite = values[values.isfinite()]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    slack = 0.01 if floats else 0.0
    for white in (1, *WHITES) if floats else WHITES:
        if low >= -slack * high and high <= (1 + slack) * white:
            return 0.0, float(white)
    return low, max(high, low + 1)


def draw(low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand(()))


def log_draw(most: float) -> float:
    return math.exp(draw(-1, 1) * math.log(most))


def mirrored(image: Tensor, warp: Callable[[Tensor], Tensor]) -> Tensor:
    """`warp` of the image surrounded by its mirror images, cut to its place."""
    side = min(image.shape[-2:])
    padded = F.pad(image, [side - 1], padding_mode="reflect")
    return F.center_crop(warp(padded), list(image.shape[-2:])).clamp(0, 1)


def resized_crop(image: Tensor, size: int, scale_min: float, ratio: float) -> Tensor:
    """To `size` pixels a side, antialiased; the aspect ratio counts from the image's own."""
    values = {"scale_min": scale_min, "ratio": ratio}
    [box] = crop_boxes(torch.rand(1, CROP_SLOTS), values, image.shape[1], image.shape[2])
    left, top, width, height = (int(length) for length in box)
    return F.resized_crop(image, top, left, height, width, [size, size], antialias=True)


def rotation(image: Tensor, degrees: float) -> Tensor:
    angle = draw(-degrees, degrees)
    bilinear = F.InterpolationMode.BILINEAR
    return mirrored(image, lambda padded: F.rotate(padded, angle, bilinear))


def affine(image: Tensor, translate: float, zoom: float, shear: float) -> Tensor:
    height, width = image.shape[-2:]
    shift = [draw(-translate, translate) * width, draw(-translate, translate) * height]
    factor, sheared = log_draw(zoom), [draw(-shear, shear), draw(-shear, shear)]
    bilinear = F.InterpolationMode.BILINEAR
    return mirrored(image, lambda padded: F.affine(padded, 0.0, shift, factor, sheared, bilinear))


def perspective(image: Tensor, distortion: float) -> Tensor:
    height, width = image.shape[-2:]
    left = top = min(height, width) - 1
    right, bottom = left + width - 1, top + height - 1
    start = [[left, top], [right, top], [right, bottom], [left, bottom]]
    inwards = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    most = (distortion * width / 2, distortion * height / 2)
    end = [
        [corner[axis] + sign[axis] * draw(0, most[axis]) for axis in (0, 1)]
        for corner, sign in zip(start, inwards, strict=True)
    ]
    bilinear = F.InterpolationMode.BILINEAR
    return mirrored(image, lambda padded: F.perspective(padded, start, end, bilinear))


def color_jitter(
    image: Tensor, brightness: float, contrast: float, saturation: float, hue: float
) -> Tensor:
    image = F.adjust_brightness(image, 1 + draw(-brightness, brightness))
    image = F.adjust_contrast(image, 1 + draw(-contrast, contrast))
    if image.shape[0] == 1:
        return image
    image = F.adjust_saturation(image, 1 + draw(-saturation, saturation))
    return F.adjust_hue(image, draw(-hue, hue)) if hue else image


def grayscale(image: Tensor) -> Tensor:
    return F.rgb_to_grayscale(image, num_output_channels=image.shape[0])


def gamma(image: Tensor, gamma: float) -> Tensor:
    return F.adjust_gamma(image, log_draw(gamma))


def solarize(image: Tensor, threshold_min: float) -> Tensor:
    return F.solarize(image, draw(threshold_min, 1))


def on_cells(
    image: Tensor, grain: float, compute: Callable[[Tensor], Tensor], *, fine: bool
) -> Tensor:
    return carried(image[None], grain, lambda images: compute(images[0])[None], fine=fine)[0]


def posterize(image: Tensor, bits_min: int, grain: float) -> Tensor:
    bits = int(torch.randint(bits_min, 9, ()))

    def coarse(pixels: Tensor) -> Tensor:
        whole = F.posterize((pixels * 255).to(torch.uint8), bits)
        return pixels if bits == 8 else F.to_dtype(whole, torch.float32, scale=True)

    return on_cells(image, grain, coarse, fine=True)


def equalize(image: Tensor, grain: float) -> Tensor:
    return on_cells(image, grain, F.equalize, fine=True)


def autocontrast(image: Tensor, grain: float) -> Tensor:
    return on_cells(image, grain, F.autocontrast, fine=True)


def gaussian_blur(image: Tensor, sigma: float) -> Tensor:
    side = min(image.shape[-2:])
    radius = min(max(1, math.ceil(3 * sigma * side)), side - 1)
    return F.gaussian_blur(image, 2 * radius + 1, max(1e-3, draw(0, sigma * side)))


def motion_blur(image: Tensor, length: float, grain: float) -> Tensor:
    smear, angle = draw(0, length), torch.tensor([draw(0, math.pi)])

    def blur(pixels: Tensor) -> Tensor:
        side = min(pixels.shape[-2:])
        radius = min(max(1, math.ceil(length * side / 2)), side - 1)
        kernels = motion_kernels(torch.tensor([smear * side]), angle, radius)
        padded = F.pad(pixels, [radius], padding_mode="reflect")
        return nn.functional.conv2d(padded[:, None], kernels[:, None])[:, 0].clamp(0, 1)

    return on_cells(image, grain, blur, fine=True)


def sharpness(image: Tensor, amount: float, grain: float) -> Tensor:
    factor = 1 + draw(0, amount)
    return on_cells(image, grain, lambda x: F.adjust_sharpness(x, factor), fine=False)


def jpeg(image: Tensor, quality_min: float, grain: float) -> Tensor:
    """By way of Pillow; torchvision's own codec is deprecated."""
    quality = round(draw(quality_min, 100))

    def code(pixels: Tensor) -> Tensor:
        with BytesIO() as file:
            F.to_pil_image(pixels).save(file, "JPEG", quality=quality)
            with Image.open(file) as coded:
                return F.to_dtype(F.pil_to_tensor(coded), torch.float32, scale=True)

    return on_cells(image, grain, code, fine=False)
