"""Which sealed images are taken for the wrong class, under two policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from augsearch.report.forms import Table
from augsearch.report.section import Section
from augsearch.words import counted, listed, percent

MOST_DRAWN = 12
"""Classes of which the whole matrix is drawn."""
MOST_PAIRS, MOST_NAMED = 15, 3
"""Confusions that are listed where it is not, and that are told in a sentence."""
MOST_SHOWN = 12
"""Pictures of each kind."""

Kind = Literal["gained", "lost", "never"]
MOST_NEAR = 5
"""Classes that are named as near guessing."""


@dataclass(frozen=True)
class MistakenImage:
    """A sealed image.

    Attributes:
        png: as the encoder sees it; empty if it sees only tiles of it.
        truth: its class.
        guess: what it is taken for by the policy that has it wrong; empty where that is not known.
    """

    path: str
    png: bytes
    truth: str
    guess: str


@dataclass(frozen=True)
class Gallery:
    """Images of one kind: so many in all, of which some are shown."""

    kind: Kind
    count: int
    images: tuple[MistakenImage, ...]


@dataclass(frozen=True)
class ClassScore:
    """A class under the recommended policy.

    Attributes:
        recall: in [0, 1].
        low: lower end of its interval; those of all classes hold together in 95 % of studies.
    """

    name: str
    recall: float
    low: float


Shares = tuple[tuple[float, ...], ...]
"""`[K][K]` of each true class (rows) the share that is taken for each class (columns)."""


@dataclass(frozen=True)
class Mistakes(Section):
    """What is still wrong under `ours`, and what under `theirs`.

    Attributes:
        images: sealed images with a label.
        right: of these, how many either policy has right in most of its probes.
        chance: images that change sides, each way, between two halves of a policy's own seeds.
        guessing: recall that guessing reaches.
        classes: in their order, as they are under `ours`.
        shares: of either policy; None where it is not known or there are too many classes.
    """

    template = "mistakes"
    title = "Which images it fails on"

    ours: str
    theirs: str
    images: int
    right: tuple[int, int]
    chance: float
    guessing: float
    classes: tuple[ClassScore, ...]
    shares: tuple[Shares, Shares] | None
    galleries: tuple[Gallery, ...]

    def heading(self, kind: Kind) -> str:
        """Over a gallery."""
        return {
            "gained": f"Right under {self.ours}, wrong under {self.theirs}",
            "lost": f"Right under {self.theirs}, wrong under {self.ours}",
            "never": "Wrong under every seed of both",
        }[kind]

    def count(self, kind: Kind) -> int:
        """Images of that kind."""
        return next(one.count for one in self.galleries if one.kind == kind)

    @property
    def findings(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.sentence, self.near_guessing, self.confusions)))

    @property
    def sentence(self) -> str:
        """How many images change sides."""
        ours, theirs = self.right
        gained, lost, never = (self.count(kind) for kind in ("gained", "lost", "never"))
        return (
            f"{self.ours} has {ours} of {counted(self.images, 'sealed image')} right most of the "
            f"time, {self.theirs} has {theirs}. {gained} are right under {self.ours} alone, {lost} "
            f"under {self.theirs} alone; about {self.chance:.0f} each way would be by chance, as "
            "the seeds of one policy differ. No seed of either has "
            f"{never or 'any'} of the images right more often than guessing would."
        )

    @property
    def near_guessing(self) -> str:
        """The classes that are not shown to be better than guessed."""
        near = sorted((c for c in self.classes if c.low <= self.guessing), key=lambda c: c.recall)
        if not near:
            return ""
        named = [f"{one.name} ({percent(one.recall)} %)" for one in near[:MOST_NEAR]]
        if len(near) > MOST_NEAR:
            named.append(f"{len(near) - MOST_NEAR} other classes")
        verb = "is" if len(near) == 1 else "are"
        return (
            f"{listed(named)} {verb} not shown to be better than guessing, which gives "
            f"{percent(self.guessing)} %."
        )

    @property
    def confusions(self) -> str:
        """The commonest confusions in words."""
        pairs = self._pairs()[:MOST_NAMED]
        told = [
            f"{truth} taken for {guess} ({percent(ours)} % of {truth}, "
            f"{percent(theirs)} % under {self.theirs})"
            for truth, guess, ours, theirs in pairs
        ]
        return f"Most often confused: {listed(told)}." if told else ""

    def _pairs(self) -> list[tuple[str, str, float, float]]:
        """(true class, guessed class, share under either policy), the commonest first."""
        if self.shares is None:
            return []
        names = [one.name for one in self.classes]
        ours, theirs = self.shares
        found = [
            (names[row], names[column], ours[row][column], theirs[row][column])
            for row in range(len(names))
            for column in range(len(names))
            if row != column and ours[row][column]
        ]
        return sorted(found, key=lambda pair: -pair[2])

    @property
    def drawn(self) -> tuple[tuple[str, Shares], ...]:
        """The matrices with whose they are, where they are small enough to be read."""
        if self.shares is None or len(self.classes) > MOST_DRAWN:
            return ()
        return tuple(zip((self.ours, self.theirs), self.shares, strict=True))

    @property
    def table(self) -> Table:
        """The commonest confusions, where the matrices are not drawn."""
        pairs: Sequence[tuple[str, str, float, float]] = [] if self.drawn else self._pairs()
        return Table(
            "The commonest confusions, % of the true class",
            ("true class", "taken for", self.ours, self.theirs),
            [
                (truth, guess, percent(ours), percent(theirs))
                for truth, guess, ours, theirs in pairs[:MOST_PAIRS]
            ],
            text=(0, 1),
        )
