"""Pictures of a classifier's answers."""

import io

import numpy as np
import pytest
from PIL import Image

from augsearch.pictures.classified import confusion_png


@pytest.mark.parametrize("name", ["gut", "部品 äöü", "نقص"])
def test_class_names_of_any_letters_draw_without_a_word_on_the_terminal(name):
    """Warnings are errors in tests."""
    png = confusion_png([[3, 1], [0, 4]], [name, "ok"], title=f"{name}: 1 error")
    assert np.asarray(Image.open(io.BytesIO(png)).convert("L")).std() > 10
