"""Black and white for files of more than 8 bits: what most pixels hold decides, not the odd one."""

from itertools import permutations

import numpy as np
import pytest

from augsearch.data.decoding.window import Values, find_window

RNG = np.random.default_rng(0)


def noise(low, high, size=32, dtype=np.uint16):
    return RNG.integers(low, high, (size, size)).astype(dtype)


def with_spots(picture, value, count=1):
    spoilt = picture.copy()
    spoilt.flat[np.arange(count) * (spoilt.size // count)] = value
    return spoilt


def window_of(*pictures, given=None):
    return find_window([Values.of(picture) for picture in pictures], given)


TWELVE = [noise(0, 4096) for _ in range(6)]
FLOATS = [(20 + 20 * RNG.random((32, 32))).astype(np.float32) for _ in range(4)]
CASES = {
    "12 bits": (TWELVE, (0, 4095)),
    "a dark and a bright exposure": ([noise(0, 300), noise(0, 4000)], (0, 4095)),
    "a hot pixel in one file": ([with_spots(TWELVE[0], 65535), *TWELVE[1:]], (0, 4095)),
    "hot pixels in every file": ([with_spots(one, 65535, 2) for one in TWELVE], (0, 4095)),
    "in every file of a few pixels": (
        [with_spots(noise(0, 4096, 16), 65535) for _ in range(6)],
        (0, 4095),
    ),
    "a spoilt file": ([np.full((32, 32), 65535, np.uint16), *TWELVE * 200], (0, 4095)),
    "no data above": (
        [np.where(np.arange(32)[:, None] < 9, 65535, one).astype(np.uint16) for one in TWELVE],
        (0, 4095),
    ),
    "colour as grey": ([np.stack([one] * 3, axis=-1) for one in TWELVE], (0, 4095)),
    "signed": ([noise(-100, 301, dtype=np.int32)], (-100, 300)),
    "floats to 1": ([one / 40 for one in FLOATS], (0, 1)),
    "flat": ([np.full((32, 32), 900, np.uint16)], (0, 1023)),
    "two values": ([with_spots(np.full((32, 32), 1000, np.uint16), 4000, 500)], (0, 4095)),
    "black with a few bright spots": ([with_spots(TWELVE[0] * 0, 4000, 20)], (0, 4095)),
}


@pytest.mark.parametrize(("pictures", "expected"), CASES.values(), ids=CASES)
def test_black_and_white(pictures, expected):
    window = window_of(*pictures)
    assert (window.black, window.white) == expected


NARROW = {
    "thermal": ([noise(29500, 29800) for _ in range(4)], 29500, 29799),
    "thermal with no data": (
        [np.where(np.arange(32)[:, None] < 9, 0, noise(29500, 29800)) for _ in range(4)],
        29500,
        29799,
    ),
    "degrees": (FLOATS, 20, 40),
    "degrees with no data": (
        [np.where(np.arange(32)[:, None] < 5, np.float32(-9999), one) for one in FLOATS],
        20,
        40,
    ),
    "degrees with NaN": ([with_spots(one, np.nan, 9) for one in FLOATS], 20, 40),
}


@pytest.mark.parametrize(("pictures", "low", "high"), NARROW.values(), ids=NARROW)
def test_a_narrow_range_gets_all_grey_levels(pictures, low, high):
    window = window_of(*pictures)
    assert window.black == pytest.approx(low, abs=0.02 * (high - low))
    assert window.white == pytest.approx(high, abs=0.02 * (high - low))


def test_bright_spots_of_some_size_keep_their_shades():
    """A hundredth of the pixels is a finding, not a fault."""
    pictures = [with_spots(noise(0, 200), 3000 + 10 * k, 10) for k in range(6)]
    assert window_of(*pictures).white == 4095
    assert window_of(*pictures).clipped == 0


def test_what_was_left_out_is_known():
    window = window_of(with_spots(TWELVE[0], 65535), *TWELVE[1:])
    assert (window.clipped, window.highest, window.no_data) == (1, 65535, ())
    spoilt = [np.where(np.arange(32)[:, None] < 9, 65535, one) for one in TWELVE]
    assert window_of(*spoilt).no_data == (65535,)
    assert window_of(*spoilt).clipped == 0


def test_a_window_of_ones_own_wins():
    window = window_of(*TWELVE, given=(100.0, 2000.0))
    assert (window.black, window.white, window.clipped) == (100, 2000, 6)


def test_the_order_of_files_changes_nothing():
    pictures = [with_spots(TWELVE[0], 65535), noise(0, 300), noise(1000, 9000), FLOATS[0] * 100]
    pictures = [picture.astype(np.uint16) for picture in pictures]
    assert len({window_of(*order) for order in permutations(pictures)}) == 1


def test_nothing_but_nan():
    assert Values.of(np.full((4, 4), np.nan, np.float32)) is None
