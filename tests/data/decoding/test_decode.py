"""Every kind of image file decodes to what a person would expect to see."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data.deep_files import png_chunk, write_png, write_tiff
from PIL import Image, PngImagePlugin

from augsearch.data.config import DataConfig
from augsearch.data.decoding import decode
from augsearch.data.decoding.decode import decode_file, large_files_allowed, read_exactly
from augsearch.data.decoding.window import Window
from augsearch.errors import DataError

CONFIG = DataConfig(image_size=16)
RNG = np.random.default_rng(0)


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def halves(left: Any, right: Any, mode: str, size: int = 16) -> Image.Image:
    """A picture whose left half has one colour and whose right half another."""
    image = Image.new(mode, (size, size), right)
    image.paste(left, (0, 0, size // 2, size))
    return image


def test_picture_of_the_right_size_keeps_every_pixel(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    decoded = decode_file(saved(Image.fromarray(pixels), tmp_path / "a.png"), CONFIG)
    np.testing.assert_array_equal(decoded.pixels[0], pixels)
    assert not decoded.values
    assert not decoded.transparent


@pytest.mark.parametrize(
    ("image", "suffix", "left", "right"),
    [
        (halves(40, 200, "L"), "png", [40], [200]),
        (halves((40,) * 3, (200,) * 3, "RGB"), "png", [40], [200]),
        (halves((9, 80, 200), (200, 80, 9), "RGB"), "bmp", [9, 80, 200], [200, 80, 9]),
        (halves(0, 1, "1"), "png", [0], [255]),
        (halves((0, 255, 255, 0), (0, 0, 0, 255), "CMYK"), "tif", [255, 0, 0], [0, 0, 0]),
        (halves((9, 80, 200, 255), (200, 80, 9, 255), "RGBA"), "png", [9, 80, 200], [200, 80, 9]),
        (halves((90, 0), (90, 255), "LA"), "png", [255], [90]),
        (halves((255, 0, 0, 128), (0, 0, 0, 0), "RGBA"), "png", [255, 127, 127], [255] * 3),
        (halves((9, 80, 200), (200, 80, 9), "RGB").quantize(4), "png", [9, 80, 200], [200, 80, 9]),
    ],
    ids=["grey", "grey-as-rgb", "rgb", "1-bit", "cmyk", "opaque", "la", "rgba", "palette"],
)
def test_mode(
    tmp_path: Path, image: Image.Image, suffix: str, left: list[int], right: list[int]
) -> None:
    pixels = decode_file(saved(image, tmp_path / f"a.{suffix}"), CONFIG).pixels
    assert pixels.shape == (1, 16, 16, len(left))
    assert pixels[0, 8, 2].tolist() == left
    assert pixels[0, 8, 13].tolist() == right


def test_transparent_palette_entry_is_white_and_reported(tmp_path: Path) -> None:
    image = halves(0, 1, "P")
    image.putpalette([200, 0, 0, 0, 0, 200])
    decoded = decode_file(saved(image, tmp_path / "a.png", transparency=1), CONFIG)
    assert decoded.transparent
    assert decoded.pixels[0, 8, [2, 13]].tolist() == [[200, 0, 0], [255, 255, 255]]


def test_jpeg_in_cmyk_is_not_inverted(tmp_path: Path) -> None:
    image = halves((255, 0, 0), (255, 255, 255), "RGB").convert("CMYK")
    pixels = decode_file(saved(image, tmp_path / "a.jpg", quality=95), CONFIG).pixels
    np.testing.assert_allclose(pixels[0, 8, [2, 13]], [[255, 0, 0], [255, 255, 255]], atol=12)


@pytest.mark.parametrize(
    ("dtype", "left", "right", "expected"),
    [
        (np.uint16, 0, 65535, [0, 255]),
        (np.uint16, 1000, 4095, [62, 255]),
        (np.uint16, 1000, 4096, [16, 64]),
        (np.uint16, 100, 200, [100, 200]),
        (np.int32, -100, 300, [0, 255]),
        (np.float32, 0.25, 1.0, [64, 255]),
        (np.float32, 64.0, 255.0, [64, 255]),
        (np.float32, -1.0, 1.0, [0, 255]),
        (np.float32, np.nan, 0.5, [0, 128]),
    ],
)
def test_more_than_eight_bits(
    tmp_path: Path, dtype: type, left: float, right: float, expected: list[int]
) -> None:
    values = np.full((16, 16), right, dtype)
    values[:, :8] = left
    decoded = decode_file(saved(Image.fromarray(values), tmp_path / "a.tif"), CONFIG)
    assert decoded.pixels.shape[-1] == 1
    assert decoded.pixels[0, 8, [2, 13], 0].tolist() == expected


def test_sixteen_bit_png_and_big_endian_tiff(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 256).reshape(16, 16).astype(np.uint16)
    expected = np.round(values / 257).astype(np.uint8)
    png = saved(Image.fromarray(values), tmp_path / "a.png")
    big = saved(
        Image.frombytes("I;16B", (16, 16), values.astype(">u2").tobytes()), tmp_path / "a.tif"
    )
    with Image.open(big) as image:
        assert image.mode == "I;16B"
    for path in (png, big):
        np.testing.assert_array_equal(decode_file(path, CONFIG).pixels[0, ..., 0], expected)


def write_ppm(path: Path, values: np.ndarray) -> Path:
    path.write_bytes(b"P6 16 16 65535\n" + values.astype(">u2").tobytes())
    return path


TWELVE_BITS = RNG.integers(0, 4096, (16, 16, 3))
DEEP_COLOUR = {
    "png": lambda path, values: write_png(path, values),
    "png with alpha": lambda path, values: write_png(
        path, np.dstack([values, np.full((16, 16), 65535)])
    ),
    "ppm": lambda path, values: write_ppm(path, values),
    "tiff": lambda path, values: write_tiff(path, values, "<", planes=False),
    "big-endian tiff": lambda path, values: write_tiff(path, values, ">", planes=False),
    "planes": lambda path, values: write_tiff(path, values, "<", planes=True),
    "big-endian planes": lambda path, values: write_tiff(path, values, ">", planes=True),
}


@pytest.mark.parametrize("write", DEEP_COLOUR.values(), ids=DEEP_COLOUR)
def test_colours_of_twelve_bits_are_read_as_grey_ones_are(tmp_path: Path, write) -> None:
    path = write(tmp_path / "a.img", TWELVE_BITS)
    decoded = decode_file(path, CONFIG)
    np.testing.assert_array_equal(decoded.pixels[0], np.round(TWELVE_BITS / 4095 * 255))
    assert not decoded.transparent
    np.testing.assert_array_equal(read_exactly(path), TWELVE_BITS)


def test_grey_of_sixteen_bits_with_alpha(tmp_path: Path) -> None:
    grey = TWELVE_BITS[..., 0]
    opaque = np.full_like(grey, 65535)
    opaque[:, :4] = 0
    path = write_png(tmp_path / "a.png", np.dstack([grey, opaque]))
    decoded = decode_file(path, CONFIG)
    expected = np.where(opaque > 0, np.round(grey / 4095 * 255), 255)
    np.testing.assert_array_equal(decoded.pixels[0, ..., 0], expected)
    assert decoded.transparent


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_pictures_turn_as_others_do(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    values = RNG.integers(0, 255, (16, 16), dtype=np.uint8)
    shallow = saved(Image.fromarray(values), tmp_path / "a.png", exif=exif)
    deep = saved(Image.fromarray(values.astype(np.uint16)), tmp_path / "b.png", exif=exif)
    first, second = (decode_file(path, CONFIG, [Window(0, 255)]) for path in (shallow, deep))
    np.testing.assert_array_equal(first.pixels, second.pixels)


def noisy(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(RNG.integers(0, 255, (16, 16, 3), dtype=np.uint8)).convert(mode)


def test_metadata_of_a_png_may_be_large_or_damaged(tmp_path: Path) -> None:
    image = noisy()
    text = PngImagePlugin.PngInfo()
    text.add_text("remark", "a" * 3_000_000, zip=True)
    spoilt = saved(image, tmp_path / "spoilt.png").read_bytes()
    place = spoilt.index(b"IDAT") - 4
    chunk = png_chunk(b"tEXt", b"key\0value")[:-4] + b"\1\2\3\4"
    (tmp_path / "spoilt.png").write_bytes(spoilt[:place] + chunk + spoilt[place:])
    for path in (
        saved(image, tmp_path / "text.png", pnginfo=text),
        saved(image, tmp_path / "profile.png", icc_profile=bytes(3_000_000)),
        tmp_path / "spoilt.png",
    ):
        np.testing.assert_array_equal(decode_file(path, CONFIG).pixels[0], np.asarray(image))


def test_damaged_tags_leave_the_pixels_alone(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a description of some length", 6
    whole = exif.tobytes()
    image = noisy()
    for number, cut in enumerate((8, 15, 21, 33, len(whole) - 9)):
        for suffix in ("png", "jpg", "webp"):
            path = tmp_path / f"{number}.{suffix}"
            options = {"lossless": True} if suffix == "webp" else {}
            saved(image, path, exif=whole[:cut] + b"\xff" * (number % 2), **options)
            assert decode_file(path, CONFIG).pixels.shape == (1, 16, 16, 3)


def test_a_broken_application_segment_of_a_jpeg(tmp_path: Path) -> None:
    path = saved(noisy(), tmp_path / "a.jpg", quality=95)
    expected = decode_file(path, CONFIG).pixels
    whole = path.read_bytes()
    index = b"MPF\0II*\0\x08\0\0\0\x01\0\xff\xff"
    segment = b"\xff\xe2" + (len(index) + 2).to_bytes(2, "big") + index
    path.write_bytes(whole[:2] + segment + whole[2:])
    np.testing.assert_array_equal(decode_file(path, CONFIG).pixels, expected)


@pytest.mark.parametrize("suffix", ["tif", "gif", "png", "webp"])
def test_several_pages_are_noticed(tmp_path: Path, suffix: str) -> None:
    one = saved(noisy(), tmp_path / f"one.{suffix}")
    several = saved(
        noisy(), tmp_path / f"a.{suffix}", save_all=True, append_images=[noisy(), noisy()]
    )
    assert decode_file(several, CONFIG).pages
    assert not decode_file(one, CONFIG).pages


def test_a_given_window_replaces_the_files_own(tmp_path: Path) -> None:
    dark = saved(Image.fromarray(np.full((16, 16), 900, np.uint16)), tmp_path / "a.tif")
    assert decode_file(dark, CONFIG).pixels[0, 0, 0, 0] == 224
    assert decode_file(dark, CONFIG, [Window(0, 4095)]).pixels[0, 0, 0, 0] == 56


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (1, 1)), (6, (0, 1))])
def test_orientation_tag_turns_the_picture(
    tmp_path: Path, orientation: int, corner: tuple[int, int]
) -> None:
    image = Image.new("L", (16, 16), 0)
    image.paste(255, (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decode_file(saved(image, tmp_path / "a.png", exif=exif), CONFIG).pixels
    quadrants = pixels[0, [[4, 4], [12, 12]], [[4, 12], [4, 12]], 0]
    assert np.argwhere(quadrants == 255).tolist() == [list(corner)]


def test_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("L", (16, 16), value) for value in (50, 200)]
    path = saved(frames[0], tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (decode_file(path, CONFIG).pixels == 50).all()


@pytest.mark.parametrize("fit", ["crop", "squash", "pad", "tile"])
@pytest.mark.parametrize("size", [(1, 1), (1, 200), (3, 2)])
def test_tiny_pictures_are_enlarged(tmp_path: Path, fit: str, size: tuple[int, int]) -> None:
    path = saved(Image.new("RGB", size, (9, 80, 200)), tmp_path / "a.png")
    pixels = decode_file(path, DataConfig(image_size=16, fit=fit)).pixels
    assert pixels.shape[1:] == (16, 16, 3)
    assert (pixels == [9, 80, 200]).all()


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_large_picture_is_averaged_not_sampled(tmp_path: Path, suffix: str) -> None:
    board = (np.indices((2000, 1500)).sum(axis=0) % 2 * 200).astype(np.uint8)
    path = saved(Image.fromarray(board), tmp_path / f"a.{suffix}")
    np.testing.assert_allclose(decode_file(path, CONFIG).pixels, 100, atol=3)


def test_crop_keeps_the_centre_and_squash_keeps_all(tmp_path: Path) -> None:
    image = Image.new("L", (64, 32), 0)
    image.paste(255, (16, 0, 48, 32))
    path = saved(image, tmp_path / "a.png")
    assert (decode_file(path, CONFIG).pixels > 240).all()
    squashed = decode_file(path, DataConfig(image_size=16, fit="squash")).pixels
    np.testing.assert_allclose(squashed[0, 8, [1, 8, 14], 0], [0, 255, 0], atol=2)


def test_pad_keeps_the_whole_picture_and_its_aspect(tmp_path: Path) -> None:
    pixels = np.repeat(np.arange(0, 240, 15, dtype=np.uint8)[:, None], 4, axis=1)  # 16 high, 4 wide
    path = saved(Image.fromarray(pixels), tmp_path / "a.png")
    padded = decode_file(path, DataConfig(image_size=16, fit="pad")).pixels[0, :, :, 0]
    np.testing.assert_array_equal(padded, np.repeat(pixels[:, :1], 16, axis=1))
    across = saved(Image.fromarray(pixels.T), tmp_path / "b.png")
    seen = decode_file(across, DataConfig(image_size=16, fit="pad")).pixels[0, :, :, 0]
    np.testing.assert_array_equal(seen, padded.T)
    ramp = np.tile(np.arange(10, 50, 10, dtype=np.uint8), (16, 1))  # mirrored, as often as needed
    path = saved(Image.fromarray(ramp), tmp_path / "c.png")
    row = decode_file(path, DataConfig(image_size=16, fit="pad")).pixels[0, 0, :, 0].tolist()
    there, back = [10, 20, 30, 40], [40, 30, 20, 10]
    assert row == [*there[2:], *back, *there, *back, *there[:2]]


def test_tiles_are_cut_row_by_row_from_the_centre(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (20, 35, 3), dtype=np.uint8)
    path = saved(Image.fromarray(pixels), tmp_path / "a.png")
    tiles = decode_file(path, DataConfig(image_size=8, fit="tile")).pixels
    assert tiles.shape == (8, 8, 8, 3)
    np.testing.assert_array_equal(tiles[5], pixels[10:18, 9:17])


def test_channels_can_be_forced(tmp_path: Path) -> None:
    grey = saved(halves(40, 200, "L"), tmp_path / "grey.png")
    colour = saved(halves((255, 0, 0), (0, 255, 0), "RGB"), tmp_path / "colour.png")
    as_colour = decode_file(grey, DataConfig(image_size=16, channels="colour")).pixels
    as_grey = decode_file(colour, DataConfig(image_size=16, channels="grey")).pixels
    assert as_colour[0, 8, 2].tolist() == [40, 40, 40]
    assert as_grey[0, 8, [2, 13]].tolist() == [[76], [150]]


def test_unreadable_files_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture")
    whole = saved(Image.fromarray(RNG.integers(0, 255, (64, 64), np.uint8)), tmp_path / "w.png")
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"^not an image of a known format$"):
        decode_file(text, CONFIG)
    with pytest.raises(DataError, match="truncated"):
        decode_file(cut, CONFIG)
    with pytest.raises(DataError, match="No such file"):
        decode_file(tmp_path / "absent.png", CONFIG)
    monkeypatch.setattr(decode, "MAX_PIXELS", 1000)
    with large_files_allowed(), pytest.raises(DataError, match="million pixels"):
        decode_file(whole, CONFIG)


def test_pictures_above_pillows_own_limit_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    path = saved(Image.new("L", (64, 64), 7), tmp_path / "a.png")
    with large_files_allowed():
        assert (decode_file(path, CONFIG).pixels == 7).all()
    assert Image.MAX_IMAGE_PIXELS == 100
