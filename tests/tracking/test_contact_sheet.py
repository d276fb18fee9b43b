"""The layout of a contact sheet."""

import io

import numpy as np
import pytest
from PIL import Image

from augsearch.pictures.contact_sheet import TALLEST, ContactSheet, Strengths, ViewPairs, side_of

RED, BLUE = (np.array(c, dtype=np.uint8).reshape(3, 1, 1) for c in ([255, 0, 0], [0, 0, 255]))


def sheet(size=32, operations=1, images=8):
    red = np.broadcast_to(RED, (images, 3, size, size))
    blue = np.broadcast_to(BLUE, (3, size, size))
    words = "largest standard deviation of the shifts as a share of the shorter side " * 2
    return ContactSheet(
        title="a policy with a name that is much longer than the sheet is wide " * 3,
        remark="first\nsecond",
        originals=red,
        captions=("a class whose name does not fit below its picture",) * images,
        groups=(ViewPairs("a heading as long as a heading should never be " * 3, (red,) * 4),) * 2,
        strengths_title="operations",
        strengths_remark="alone",
        strengths=(Strengths("blur", words, (blue,) * 5, ((words, ("1 %",) * 5),)),) * operations,
        footnote="rendered by: fused",
    )


def opened(pages):
    return [np.asarray(Image.open(io.BytesIO(page)).convert("RGB")) for page in pages]


@pytest.mark.parametrize(
    ("size", "side"), [(8, 96), (32, 96), (50, 100), (64, 128), (96, 96), (128, 128), (300, 128)]
)
def test_every_picture_is_there_at_its_size(size, side):
    (page,) = opened(sheet(size).pages())
    red = (page == [255, 0, 0]).all(axis=2).sum()
    blue = (page == [0, 0, 255]).all(axis=2).sum()
    assert side_of(size) == side
    assert (red, blue) == (8 * 9 * side**2, 5 * side**2)


def test_nothing_but_pictures_touches_the_margin():
    (page,) = opened(sheet().pages())
    frame = np.concatenate([page[:20].ravel(), page[-20:].ravel(), page[:, :20].ravel(),
                            page[:, -20:].ravel()])  # fmt: skip
    assert (frame == 255).all()


def test_many_operations_go_on_to_another_page():
    pages = opened(sheet(operations=40).pages())
    assert len(pages) == 2
    assert all(page.shape[0] <= TALLEST + 70 for page in pages)
    blue = sum(int((page == [0, 0, 255]).all(axis=2).sum()) for page in pages)
    assert blue == 40 * 5 * 96**2
