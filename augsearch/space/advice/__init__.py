"""What each operation is good for and where it is dangerous, for four kinds of images.

Plain data beside the catalogue, for people to read: nothing in a search depends on it.
"""

from __future__ import annotations

from augsearch.space.advice.blur import BLUR
from augsearch.space.advice.colour import COLOUR
from augsearch.space.advice.form import Advice, OpAdvice
from augsearch.space.advice.geometric import GEOMETRIC
from augsearch.space.advice.light import LIGHT
from augsearch.space.advice.noise import NOISE

ADVICE: dict[str, OpAdvice] = {**GEOMETRIC, **COLOUR, **BLUR, **NOISE, **LIGHT}
"""Operation name to its advice."""

__all__ = ["ADVICE", "Advice", "OpAdvice"]
