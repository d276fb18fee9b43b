"""What a report shows, as plain data. Scores and recalls lie in [0, 1], differences are points.

Nothing here knows of stores or of Optuna: `augsearch.verbs.report` fills it in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["candidate", "baseline", "floor"]
State = Literal["complete", "pruned", "fail"]
Curve = tuple[tuple[int, float], ...]
"""(optimiser step, score) at each rung and at the end."""


@dataclass(frozen=True)
class Headline:
    """The answer.

    Attributes:
        title: over the answer; None for what `finished` says.
        finished: whether there is a verdict; if not, `sentence` says where the study stands.
        notes: what else must be read with it.
        warnings: what may spoil it.
    """

    finished: bool
    sentence: str
    advice: str
    basis: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    title: str | None = None


@dataclass(frozen=True)
class PolicyRow:
    """A line of the table of results.

    Attributes:
        confirmed: score of each fresh seed; empty if it was not confirmed.
        interval: 95 %, for other seeds and, where that is known, other test images.
        seeds_only: the same for other seeds on the same test images, where `interval` is for both.
    """

    name: str
    kind: Kind
    search: float | None
    confirmed: tuple[float, ...]
    mean: float | None
    interval: tuple[float, float] | None
    seeds_only: tuple[float, float] | None
    chosen: bool


@dataclass(frozen=True)
class FrontPoint:
    """A trial or baseline in two aims: `y` is the score in percent, `x` the other aim."""

    label: str
    x: float
    y: float
    kind: Literal["front", "beaten", "broken", "baseline"]


@dataclass(frozen=True)
class Front:
    """What two aims at once leave: `x_axis` says what the second is, with its unit. `note` says
    how the scores shown differ from those that the search went by, or is empty."""

    x_axis: str
    points: tuple[FrontPoint, ...]
    note: str = ""


@dataclass(frozen=True)
class Views:
    """A picture of a policy's views of some images."""

    policy: str
    png: bytes


@dataclass(frozen=True)
class Recipe:
    """A policy that can be used.

    Attributes:
        steps: for each operation its name and how often, what it does, a line for each value.
        yaml: the policy's file.
    """

    name: str
    digest: str
    steps: tuple[tuple[str, str, tuple[str, ...]], ...]
    yaml: str


@dataclass(frozen=True)
class ClassEffect:
    """Recall of one class under two policies; `low` and `high` enclose the difference in points,
    together with those of the other classes in 95 % of studies. Both are None where that is not
    known."""

    name: str
    ours: float
    theirs: float
    difference: float
    low: float | None
    high: float | None

    @property
    def finding(self) -> Literal["gains", "loses", "open"]:
        if self.low is None or self.high is None:
            return "open"
        return "gains" if self.low > 0 else "loses" if self.high < 0 else "open"


@dataclass(frozen=True)
class ClassEffects:
    """Who gains and who loses by `ours` against `theirs`, over so many seeds."""

    ours: str
    theirs: str
    seeds: int
    classes: tuple[ClassEffect, ...]

    @property
    def known(self) -> bool:
        """Whether there are intervals."""
        return any(c.low is not None for c in self.classes)


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

    @property
    def shown(self) -> bool:
        return self.p_value < 0.05


Place = Literal["inside", "end of what was tried", "end of the range", "as far as it goes"]


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

    @property
    def decides(self) -> bool:
        """Whether it is shown to tell the best quarter from the others."""
        return self.importance is not None and self.importance > 1

    @property
    def moves(self) -> bool:
        """Whether the score is shown to change along it."""
        return self.p_value is not None and self.p_value < 0.05


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

    @property
    def shown(self) -> bool:
        return self.p_value < 0.05


@dataclass(frozen=True)
class Common:
    """What the best quarter of policies share in one parameter.

    Attributes:
        best, rest: 10th, 50th and 90th percentile of its values, in the best quarter and outside.
        choices: its values if it has few; then `best_shares` and `rest_shares` say how often each
            was taken.
        p_value: of no difference between the two, after Holm's correction over all parameters.
    """

    name: str
    best: tuple[float, float, float]
    rest: tuple[float, float, float]
    choices: tuple[float, ...]
    best_shares: tuple[float, ...]
    rest_shares: tuple[float, ...]
    p_value: float

    @property
    def shown(self) -> bool:
        return self.p_value < 0.05


@dataclass(frozen=True)
class Understanding:
    """What a study's trials say about the parameters. A part that is None had too few trials.

    Attributes:
        finished, complete: trials; stopped ones are finished, but have no score at the end.
        needed: part -> the trials that it asks for.
        quarter: policies in the best quarter.
        priced: whether the search went by scores less a price; scores here are in full.
        parameters: what the parts say of each parameter, those first of which something is shown.
    """

    finished: int
    complete: int
    quarter: int
    needed: Mapping[str, int]
    priced: bool
    parameters: tuple[ParameterFacts, ...]
    weights: tuple[Weight, ...] | None
    marginals: tuple[Marginal, ...] | None
    interactions: tuple[Interaction, ...] | None
    common: tuple[Common, ...] | None


@dataclass(frozen=True)
class TrialPoint:
    """One trial, as the history and the parallel coordinates show it.

    Attributes:
        score: at the end, or where it was stopped; None if it failed.
        curve: up to there.
        params: the searched values.
    """

    number: int
    state: State
    score: float | None
    curve: Curve
    params: Mapping[str, float]


@dataclass(frozen=True)
class Scale:
    """A searched parameter: its bounds, whether by logarithm, its choices if it has some."""

    name: str
    low: float
    high: float
    log: bool
    choices: tuple[float, ...]


@dataclass(frozen=True)
class RungAgreement:
    """How the scores at a rung order the trials that were not stopped, against their end.

    Attributes:
        pairs: (score at the rung, score at the end).
        spearman, low, high: rank correlation and its 95 % interval; None with too few pairs.
    """

    step: int
    pairs: tuple[tuple[float, float], ...]
    spearman: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class BudgetAgreement:
    """A line of the certificate."""

    steps: int
    spearman: float
    low: float
    high: float
    doubt: float


@dataclass(frozen=True)
class CertificateRead:
    """What longer runs said about the short ones.

    Attributes:
        lead: how much of a lead is left in the longest runs, in words.
        scores: of each policy at `budgets` and in the longest runs, in [0, 1].
    """

    sentence: str
    advice: str
    longest: int
    policies: int
    regret: float
    best: str
    budgets: tuple[BudgetAgreement, ...]
    lead: str = ""
    scores: tuple[tuple[str, tuple[float, ...]], ...] = ()


@dataclass(frozen=True)
class ProxiesRead:
    """How label-free scores go with the probe: a sentence and a table."""

    sentence: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Fidelity:
    """How far short runs can be trusted: rungs against the end, the certificate, proxies."""

    steps: int
    rungs: tuple[RungAgreement, ...]
    certificate: CertificateRead | None
    proxies: ProxiesRead | None = None


@dataclass(frozen=True)
class Costs:
    """Where the time went.

    Attributes:
        phases: phase -> (runs, seconds of computing).
        parts: what a complete trial spends its seconds on, in the mean.
        ops: operation -> microseconds an image and policy, gate taken into account; None where the
            policy does not have it.
        policies: the policies of `ops`, in their order.
        basis: where the costs of the operations come from.
    """

    phases: Mapping[str, tuple[int, float]]
    parts: Mapping[str, float]
    ops: tuple[tuple[str, tuple[float | None, ...]], ...]
    policies: tuple[str, ...]
    basis: str


@dataclass(frozen=True)
class Reproduce:
    """What it takes to do it again."""

    command: str
    facts: Mapping[str, str]
    digests: Mapping[str, str]
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Extra:
    """A section that some studies have.

    Attributes:
        basis: what it rests on.
        sentences: what was found, the main finding first.
        pictures: caption, PNG, what it shows in words.
        header, rows: of a table that opens on request.
        text: columns of it that are no numbers.
    """

    title: str
    basis: str = ""
    sentences: tuple[str, ...] = ()
    pictures: tuple[tuple[str, bytes, str], ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    text: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Report:
    """Everything in a report; what is left out has no section.

    Attributes:
        written: when, for people.
        metric: what the scores are.
        data: the images, in words.
        counts: trials by state.
        missing: why there are no pictures of views, or empty.
        baseline: the best one in the search, and its score there.
    """

    study: str
    written: str
    metric: str
    data: str
    headline: Headline
    costs: Costs
    reproduce: Reproduce
    counts: Mapping[str, int] = field(default_factory=dict)
    policies: tuple[PolicyRow, ...] = ()
    views: tuple[Views, ...] = ()
    missing: str = ""
    recipe: Recipe | None = None
    effects: ClassEffects | None = None
    understanding: Understanding | None = None
    trials: tuple[TrialPoint, ...] = ()
    scales: tuple[Scale, ...] = ()
    baseline: tuple[str, float] | None = None
    fidelity: Fidelity | None = None
    front: Front | None = None
    extras: tuple[Extra, ...] = ()
