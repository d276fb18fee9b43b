"""What each operation is good for and where it is dangerous, for four kinds of images.

Plain data beside the catalogue, for people to read: nothing in a search depends on it.
"""

from __future__ import annotations

from augsearch.space.handbook.advice.blur import BLUR
from augsearch.space.handbook.advice.colour import COLOUR
from augsearch.space.handbook.advice.form import Advice, OpAdvice
from augsearch.space.handbook.advice.geometric import GEOMETRIC
from augsearch.space.handbook.advice.light import LIGHT
from augsearch.space.handbook.advice.noise import NOISE

ADVICE: dict[str, OpAdvice] = {**GEOMETRIC, **COLOUR, **BLUR, **NOISE, **LIGHT}
"""Operation name to its advice."""

__all__ = ["ADVICE", "Advice", "OpAdvice"]
