"""Files of many bands, as satellites write them, from the file to a verdict's ingredients."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from small_study import small_config, small_space

import augsearch
from augsearch.augment.baselines import BASELINES, for_channels
from augsearch.augment.build import Renderer
from augsearch.bench.bench import Bench
from augsearch.data.cache import load_images
from augsearch.data.config import DataConfig
from augsearch.data.decoding.decode import decode_file, picture_size, read_exactly, read_grey
from augsearch.errors import DataError
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.policy import Policy
from augsearch.study.sizes import own_size
from augsearch.testing.ops import strongest

CONFIG = DataConfig(image_size=16)


def bands(count=5, size=24, dtype=np.uint8, seed=0, scale=40):
    """Band k lies about `scale` times k + 1."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 30, (size, size, count))
    return (noise + scale * np.arange(1, count + 1)).astype(dtype)


def write(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"photometric": "minisblack", "planarconfig": "contig", **options}
    tifffile.imwrite(path, pixels, **options)
    return path


@pytest.mark.parametrize("count", [2, 4, 5, 13])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"compression": "lzw"}])
def test_every_band_is_a_channel_in_its_order(tmp_path, count, options):
    pixels = bands(count, scale=15)
    found = decode_file(write(tmp_path / "a.tif", pixels, **options), CONFIG)
    assert found.pixels.shape == (1, 16, 16, count)
    means = found.pixels.mean(axis=(0, 1, 2))
    assert np.abs(means - pixels.mean(axis=(0, 1))).max() < 1
    assert picture_size(tmp_path / "a.tif") == (24, 24)
    assert (read_exactly(tmp_path / "a.tif") == pixels).all()
    assert np.abs(read_grey(tmp_path / "a.tif") - pixels.mean(axis=-1)).max() <= 0.5


def test_bands_in_planes_are_the_same_pixels(tmp_path):
    pixels = bands()
    planes = write(tmp_path / "a.tif", np.moveaxis(pixels, -1, 0), planarconfig="separate")
    together = write(tmp_path / "b.tif", pixels)
    assert (decode_file(planes, CONFIG).pixels == decode_file(together, CONFIG).pixels).all()


def test_an_array_that_was_written_row_by_row_is_what_it_was(tmp_path):
    pixels = bands()
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert len(file.pages) == 24
    together = decode_file(write(tmp_path / "b.tif", pixels), CONFIG)
    assert (decode_file(tmp_path / "a.tif", CONFIG).pixels == together.pixels).all()
    assert picture_size(tmp_path / "a.tif") == (24, 24)


def test_near_infrared_beside_colour_is_a_band_and_alpha_is_none(tmp_path):
    pixels = bands(4)
    infrared = write(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["unspecified"])
    assert decode_file(infrared, CONFIG).pixels.shape[-1] == 4
    alpha = write(tmp_path / "b.tif", pixels, photometric="rgb", extrasamples=["unassalpha"])
    assert decode_file(alpha, CONFIG).pixels.shape[-1] == 3
    both = write(
        tmp_path / "c.tif", bands(6), photometric="rgb",
        extrasamples=["unspecified", "unspecified", "unassalpha"],
    )  # fmt: skip
    assert decode_file(both, CONFIG).pixels.shape[-1] == 5


def test_grey_and_colour_files_are_read_as_ever(tmp_path):
    colour = bands(3)
    write(tmp_path / "a.tif", colour, photometric="rgb")
    Image.fromarray(colour).save(tmp_path / "a.png")
    write(tmp_path / "b.tif", colour[..., 0])
    one, two = (decode_file(tmp_path / f"a.{kind}", CONFIG).pixels for kind in ("tif", "png"))
    assert (one == two).all()
    assert decode_file(tmp_path / "b.tif", CONFIG).pixels.shape[-1] == 1


def test_named_bands_come_in_their_order(tmp_path):
    pixels = bands()
    path = write(tmp_path / "a.tif", pixels)
    whole = decode_file(path, CONFIG).pixels
    chosen = decode_file(path, DataConfig(image_size=16, bands=(3, 2, 1))).pixels
    assert (chosen == whole[..., [2, 1, 0]]).all()
    single = decode_file(path, DataConfig(image_size=16, bands=(4,))).pixels
    assert (single == whole[..., [3]]).all()


REFUSED = {
    "a band that is not there": ({"bands": (9,)}, "has 5 bands, and data.bands asks for 9"),
    "grey": ({"channels": "grey"}, "holds 5 bands, of which channels: grey cannot be made"),
    "colour": ({"channels": "colour"}, "channels: colour cannot be made; name the bands"),
}


@pytest.mark.parametrize(("config", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_made_of_bands(tmp_path, config, words):
    path = write(tmp_path / "a.tif", bands())
    with pytest.raises(DataError, match=words):
        decode_file(path, DataConfig(image_size=16, **config))


def test_bands_of_other_files_are_refused(tmp_path):
    Image.fromarray(bands(3)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="this is none"):
        decode_file(tmp_path / "a.png", DataConfig(image_size=16, bands=(1, 2)))
    with pytest.raises(ValueError, match="each band once"):
        DataConfig(bands=(1, 1))


def test_a_damaged_file_is_one_line(tmp_path):
    path = write(tmp_path / "a.tif", bands())
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(DataError) as caught:
        decode_file(path, DataConfig(image_size=16, bands=(1, 2)))
    assert "\n" not in str(caught.value)


def folder(root: Path, *, dtype=np.uint16, count=5, each=16):
    """Two classes that differ in the last band alone, which is far fainter than the others."""
    for label, name in enumerate(("dry", "wet")):
        for picture in range(each):
            pixels = bands(count, dtype=dtype, seed=100 * label + picture, scale=2000)
            pixels[..., -1] = pixels[..., -1] % 30 + 60 * label
            write(root / name / f"{picture}.tif", pixels)
    return root


def test_each_band_has_a_window_of_its_own(tmp_path):
    images = load_images(folder(tmp_path / "set"), CONFIG)
    assert images.channels == 5
    faint = images.images[:, 4].astype(float)
    of_class = [faint[images.labels == label].mean() for label in (0, 1)]
    assert abs(of_class[1] - of_class[0]) > 40  # of 2,000 and more under a common one, none
    assert sum("band" in note for note in images.notes) == 5
    other = load_images(folder(tmp_path / "set"), DataConfig(image_size=16, bands=(5, 1)))
    assert other.channels == 2
    assert other.digest != images.digest
    assert own_size(tmp_path / "set", images.paths) == 24


def test_files_of_different_numbers_of_bands_are_refused(tmp_path):
    folder(tmp_path / "set", each=3)
    write(tmp_path / "set" / "dry" / "other.tif", bands(4, dtype=np.uint16))
    with pytest.raises(DataError, match="different numbers of bands: 4 and 5"):
        load_images(tmp_path / "set", CONFIG)
    assert load_images(tmp_path / "set", DataConfig(image_size=16, bands=(1, 2))).channels == 2


def test_a_run_on_bands_sees_what_only_one_of_them_tells(tmp_path):
    images = load_images(folder(tmp_path / "set"), small_config().data)
    config = small_config()
    bench = Bench.build(images, config, seed=0, device=torch.device("cpu"))
    assert len(bench.mean) == 5
    found = bench.try_policy(BASELINES["SimCLR s=1"], replicate=1, steps=4)
    assert found.score > 0.9
    fitting = small_space().for_channels(5)
    assert "color_jitter.hue" not in {axis.name for axis in fitting.axes()}
    assert "color_jitter.brightness" in {axis.name for axis in fitting.axes()}


@pytest.mark.parametrize("channels", [2, 5])
def test_every_operation_takes_any_number_of_channels(channels):
    torch.manual_seed(0)
    images = (20 + 210 * torch.rand(4, channels, 32, 32)).to(torch.uint8)
    for name, operation in OPERATIONS.items():
        values = {p.name: strongest(p) for p in operation.parameters}
        policy = Policy.model_validate({"ops": [{"op": name, "p": 1.0, **values}]})
        render = Renderer.build(for_channels(policy, channels), "auto").function(0, 0)
        views = torch.stack([view for step in range(3) for view in render(images, step)])
        assert views.shape == (6, *images.shape)
        assert torch.isfinite(views).all() and views.min() >= 0 and views.max() <= 1, name
        changed = (views - images / 255).abs().max() > 0.01
        assert changed != operation.colour_only, name


def test_bands_before_channels_last_are_refused():
    views = augsearch.build_views(BASELINES["crop only"], image_size=32)
    with pytest.raises(DataError, match=r"want \[n, C, H, W\]"):
        views(torch.zeros(2, 32, 32, 3))
    with pytest.raises(DataError, match=r"want \[n, C, H, W\]"):
        views(torch.zeros(2, 32, 32, 4))


@pytest.mark.long
def test_a_whole_study_on_bands_ends_in_files_that_take_them(tmp_path):
    images = load_images(folder(tmp_path / "set"), small_config().data)
    result = augsearch.run_study(small_space(), data=images, study=small_config(), name="bands")
    assert result.data["channels"] == 5
    assert "5-band images" in result.files["report.md"].read_text()
    policy = augsearch.load_policy(result.files["policy.yaml"])
    assert len(policy.found_on.mean) == 5
    batch = torch.randint(0, 255, (2, 5, 16, 16), dtype=torch.uint8)
    for view in augsearch.build_views(policy, image_size=16, normalise=True)(batch):
        assert view.shape == batch.shape
    written = augsearch.write_export(result.files["policy.yaml"], "kornia", tmp_path / "own.py")
    module = {}
    exec(compile(written.read_text(), "own.py", "exec"), module)
    assert [view.shape for view in module["build_views"]()(batch)] == [batch.shape] * 2
