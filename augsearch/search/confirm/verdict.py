"""The answer of a study, as it is kept.

All comparisons are paired by seed and by test image: two policies of one seed share initial
weights, batches and label draws, and all are scored on the same images. `crossed` says how an
interval comes about, `race` what several looks at several candidates cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from augsearch.notebook import Card, Carded

Code = Literal[
    "better",
    "as_good",
    "indistinguishable",
    "worse",
    "breaks_limit",
    "measures_nothing",
    "as_they_are",
]
WORDS: Mapping[Code, str] = {
    "better": "Better",
    "as_good": "As good",
    "indistinguishable": "Still open",
    "worse": "Worse",
    "breaks_limit": "A class loses",
    "measures_nothing": "Nothing measured",
    "as_they_are": "No gain",
}
"""Every verdict in a word or two: the policy found here against the baselines."""
Tone = Literal["good", "level", "open", "bad"]
TONES: Mapping[Code, Tone] = {"better": "good", "as_good": "level", "indistinguishable": "open"}
"""How it is to be taken, where that is not `bad`."""
MARKS: Mapping[Tone, str] = {"good": "▲", "level": "●", "open": "◆", "bad": "▼"}
"""A shape for each, as colours alone tell some people nothing."""


def tone_of(code: Code) -> Tone:
    """How a verdict is to be taken."""
    return TONES.get(code, "bad")


def badge_of(code: Code) -> str:
    """A verdict in a word or two, behind its shape."""
    return f"{MARKS[tone_of(code)]} {WORDS[code]}"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Difference(_Part):
    """A paired difference of scores with its interval.

    Attributes:
        mean: of the first `seeds` seeds.
        low, high: an interval at the error rates that are left to it: to the lower end by the
            other candidates and looks, to the upper end by the other baselines and looks. That of
            the verdict's sentence holds in 95 % of studies or more.
        p_value: one-sided, for a true difference above 0, of this comparison alone.
        detectable: smallest true gain that this comparison would have shown with 80 % power.
        seeds: both policies had; a policy that left the race has fewer than the others.
    """

    of: str
    against: str
    mean: float
    low: float
    high: float
    p_value: float
    detectable: float
    seeds: int


class Looked(_Part):
    """A look at the race: after how many seeds, and the error rate that it could spend."""

    seeds: int
    alpha: float


class Verdict(Carded, _Part):
    """The answer of a study.

    Attributes:
        code: for programs.
        sentence: for people, one or two sentences.
        advice: what to do next.
        basis: what the sentence rests on: seeds, images, looks, smallest gain to be seen.
        recommended: name of the policy to use.
        detectable: smallest true gain that the deciding comparison would have shown.
        seeds: fresh seeds of each policy.
        looks: when the race was looked at.
        test_images: sealed images whose choice the intervals allow for; 0 where they hold for
            other seeds only.
        differences: every comparison behind it.
    """

    code: Code
    sentence: str
    advice: str
    basis: str
    recommended: str
    detectable: float
    seeds: dict[str, int]
    looks: tuple[Looked, ...]
    test_images: int
    differences: tuple[Difference, ...]

    def card(self) -> Card:
        """What a notebook shows."""
        return Card(f"{self.badge}. {self.sentence}", (self.advice, self.basis))

    @property
    def tone(self) -> Tone:
        """How the answer is to be taken."""
        return tone_of(self.code)

    @property
    def badge(self) -> str:
        """The answer in a word or two, behind its shape."""
        return badge_of(self.code)
