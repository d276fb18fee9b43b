"""How far short runs can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from augsearch.report.forms import Table
from augsearch.report.section import Section
from augsearch.words import counted

FEWEST_PAIRS_DRAWN = 3


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

    @property
    def sentence(self) -> str:
        """The agreement in words."""
        runs = f"{counted(len(self.pairs), 'run')} that went on to the end"
        if self.spearman is None or self.low is None or self.high is None:
            return f"Step {self.step}: {runs}, too few for a correlation."
        return (
            f"Step {self.step}: rank correlation with the end {self.spearman:.2f} (95 % interval "
            f"{self.low:.2f} to {self.high:.2f}) over {runs}; those that were stopped are not in "
            "it."
        )


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

    @property
    def agreement(self) -> Table:
        """How each budget ranks policies."""
        return Table(
            f"Agreement with runs of {self.longest} steps, over {self.policies} policies",
            ("steps", "rank correlation", "95 % interval", "differences to trust"),
            [
                (
                    str(b.steps),
                    f"{b.spearman:.2f}",
                    f"{b.low:.2f} to {b.high:.2f}",
                    f"above {b.doubt:.1f} points",
                )
                for b in self.budgets
            ],
        )

    @property
    def by_budget(self) -> Table:
        """Every policy's score at each budget."""
        budgets = (*(b.steps for b in self.budgets), self.longest)
        return Table(
            "The same policies at every budget, in points",
            ("policy", *(f"{steps} steps" for steps in budgets)),
            [(name, *(f"{100 * one:.1f}" for one in row)) for name, row in self.scores],
        )


@dataclass(frozen=True)
class ProxiesRead:
    """How label-free scores go with the probe: a sentence and a table."""

    sentence: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def table(self) -> Table:
        return Table(self.sentence, self.columns, self.rows, text=(0, 3))


@dataclass(frozen=True)
class Fidelity(Section):
    """Rungs against the end, the certificate, proxies."""

    template = "fidelity"
    title = "How far to trust short runs"

    steps: int
    rungs: tuple[RungAgreement, ...]
    certificate: CertificateRead | None
    proxies: ProxiesRead | None = None

    @property
    def shown(self) -> bool:
        return bool(self.certificate or self.drawn or self.proxies)

    @property
    def drawn(self) -> tuple[RungAgreement, ...]:
        """Rungs with pairs enough to be shown."""
        return tuple(rung for rung in self.rungs if len(rung.pairs) >= FEWEST_PAIRS_DRAWN)

    @property
    def findings(self) -> tuple[str, ...]:
        return (self.certificate.sentence,) if self.certificate else ()
