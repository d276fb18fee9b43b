"""What a study's trials say of single parameters and of pairs, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from augsearch.words import PLAIN, Unit, counted, points, probability

Place = Literal[
    "inside", "both ends", "end of what was tried", "end of the range", "as far as it goes"
]


@dataclass(frozen=True)
class ParameterFacts:
    """All that is said of one parameter, from the same trials: the source of every sentence on it.

    Attributes:
        trials: in which it did something.
        searched, tried: lowest and highest value that could be and that was tried.
        importance: over what chance reaches, see `Weight`; None with too few trials.
        effect: points between the best and the worst of the fitted means; None with too few trials.
        p_value: of no effect, see `Marginal`.
        best, worst: where the fitted mean is highest and lowest, never beyond what was tried.
        place: where `best` lies.
        best_quarter: 10th and 90th percentile of its values in the best quarter of trials, or, of a
            few choices, the one taken most often and how often; None with too few trials.
        unit: how its values are written.
        choices: its values if it has few.
    """

    name: str
    trials: int
    searched: tuple[float, float]
    tried: tuple[float, float]
    importance: float | None
    effect: float | None
    p_value: float | None
    best: float | None
    worst: float | None
    place: Place
    best_quarter: tuple[float, float] | None = None
    unit: Unit = PLAIN
    choices: tuple[float, ...] = ()

    @property
    def decides(self) -> bool:
        """Whether it is shown to tell the best quarter from the others."""
        return self.importance is not None and self.importance > 1

    @property
    def moves(self) -> bool:
        """Whether the score is shown to change along it."""
        return self.p_value is not None and self.p_value < 0.05

    @property
    def sentence(self) -> str:
        """What is shown of it, in words; empty if nothing is."""
        trials = counted(self.trials, "trial")
        if self.moves and self.best is not None and self.worst is not None:
            shown = (
                f"{self.name}: best near {self.unit.text(self.best)}, {self.effect or 0:.1f} "
                f"points above {self.unit.text(self.worst)} ({trials})."
            )
            return f"{shown}{self._at_end}{self._beside}"
        if self.decides:
            return (
                f"{self.name}: tells the best quarter from the others ({self.importance:.1f} times "
                "what chance reaches), but the mean score is not shown to rise or fall along it; "
                f"no best value is named ({trials})."
            )
        return ""

    @property
    def conclusion(self) -> str:
        """What follows for the next search, in a few words."""
        if self.moves and self.best is not None:
            at = self.unit.text(self.best)
            return {
                "inside": f"best near {at}",
                "both ends": f"both ends beat the middle, near {self.unit.text(self.worst or 0)}",
                "end of the range": f"best at its end, {at}: widen the range there",
                "end of what was tried": f"best at {at}; no trial went further",
                "as far as it goes": f"best at {at}, as far as it goes",
            }[self.place]
        if self.decides:
            return "matters, but no best value is shown"
        if self.importance is None and self.p_value is None:
            return "too few trials to say"
        return "no effect shown"

    @property
    def range_text(self) -> str:
        """What could be tried."""
        if self.choices:
            return " or ".join(map(self.unit.text, self.choices))
        return self.unit.texts(self.searched)

    @property
    def quarter_text(self) -> str:
        """Where the best quarter of trials lies; empty if there are too few."""
        if self.best_quarter is None:
            return ""
        if self.choices:
            value, share = self.best_quarter
            return f"{self.unit.text(value)} in {100 * share:.0f} % of it"
        return self.unit.texts(self.best_quarter)

    @property
    def evidence(self) -> str:
        """The numbers behind it."""
        parts = []
        if self.effect is not None and self.p_value is not None:
            parts.append(f"{self.effect:.1f} points, p {probability(self.p_value)}")
        if self.importance is not None:
            parts.append(f"importance {self.importance:.1f}")
        return "; ".join(parts)

    @property
    def _at_end(self) -> str:
        searched = self.unit.texts(self.searched)
        if self.place == "both ends":
            return " The other end is nearly as good."
        if self.place == "end of the range":
            return f" That is the end of its range ({searched}): widen the range there."
        if self.place == "end of what was tried":
            return f" No trial went further, though its range is {searched}."
        if self.place == "as far as it goes":
            return " The operation allows no value beyond."
        return ""

    @property
    def _beside(self) -> str:
        """What importance says beside a shown effect: the two ask different questions."""
        if self.importance is None:
            return ""
        if self.decides:
            times = f"{self.importance:.1f} times what chance reaches"
            return f" It tells the best quarter apart, {times}."
        return " The best quarter of the trials does not show it."


@dataclass(frozen=True)
class Weight:
    """How much a parameter decides.

    Attributes:
        share: of all parameters' importance.
        over_chance: its importance over what no more than one of 20 studies would reach for any
            parameter if none mattered.
    """

    name: str
    share: float
    over_chance: float

    @property
    def shown(self) -> bool:
        return self.over_chance > 1


@dataclass(frozen=True)
class Marginal:
    """The score along one parameter.

    Attributes:
        at, score, low, high: the fitted mean at each value with its 95 % interval.
        trials: that tried it, the operation being on.
        p_value: after Holm's correction over all parameters; of no effect at all.
        choices: whether `at` are all the values that there are.
        log: whether it was searched by its logarithm.
        points: every trial's (value, score).
        unit: how its values are written.
    """

    name: str
    at: tuple[float, ...]
    score: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    trials: int
    p_value: float
    choices: bool
    log: bool
    points: tuple[tuple[float, float], ...]
    unit: Unit = PLAIN

    @property
    def shown(self) -> bool:
        return self.p_value < 0.05


@dataclass(frozen=True)
class Interaction:
    """Whether the effect of one parameter depends on another.

    Attributes:
        first_at, second_at: a low and a high value of either (10th and 90th percentile).
        effects: points that the score gains from the first's low to its high value, where the
            second is low and where it is high.
        difference, low, high: of the two effects in points, with its 95 % interval.
        p_value: after Holm's correction over all pairs.
        trials: behind it.
        units: how the values of the two are written.
    """

    first: str
    second: str
    first_at: tuple[float, float]
    second_at: tuple[float, float]
    effects: tuple[float, float]
    difference: float
    low: float
    high: float
    p_value: float
    trials: int
    units: tuple[Unit, Unit] = (PLAIN, PLAIN)

    @property
    def shown(self) -> bool:
        return self.p_value < 0.05

    @property
    def sentence(self) -> str:
        """A shown interaction in words."""
        low, high = self.effects
        first, second = self.units
        second_low, second_high = map(second.text, self.second_at)
        return (
            f"{self.first} from {first.texts(self.first_at)} changes the score by {points(low)} "
            f"points where {self.second} is {second_low}, and by {points(high)} where it is "
            f"{second_high} ({counted(self.trials, 'trial')})."
        )


@dataclass(frozen=True)
class Common:
    """What the best quarter of policies share in one parameter.

    Attributes:
        best, rest: 10th, 50th and 90th percentile of its values, in the best quarter and outside.
        choices: its values if it has few; then `best_shares` and `rest_shares` say how often each
            was taken.
        p_value: of no difference between the two, after Holm's correction over all parameters.
        unit: how its values are written.
    """

    name: str
    best: tuple[float, float, float]
    rest: tuple[float, float, float]
    choices: tuple[float, ...]
    best_shares: tuple[float, ...]
    rest_shares: tuple[float, ...]
    p_value: float
    unit: Unit = PLAIN

    @property
    def shown(self) -> bool:
        return self.p_value < 0.05

    @property
    def sentence(self) -> str:
        """What the best quarter shares, in words."""
        if self.choices:
            shares = list(zip(self.choices, self.best_shares, self.rest_shares, strict=True))
            taken, best, rest = max(shares, key=lambda share: share[1] - share[2])
            return (
                f"{self.name} is {self.unit.text(taken)} in {100 * best:.0f} % of the best "
                f"quarter, in {100 * rest:.0f} % of the others."
            )

        def mostly(low: float, high: float) -> str:
            alike = low == high
            return f"at {self.unit.text(low)}" if alike else f"from {self.unit.texts((low, high))}"

        return (
            f"{self.name} lies mostly {mostly(self.best[0], self.best[2])}, in the others "
            f"{mostly(self.rest[0], self.rest[2])}."
        )
