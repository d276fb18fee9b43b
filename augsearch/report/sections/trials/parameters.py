"""Which parameters matter: importance, marginals, interactions, what the best have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from augsearch.report.forms import Table
from augsearch.report.section import Section
from augsearch.report.sections.trials.parameter_findings import (
    Common,
    Interaction,
    Marginal,
    ParameterFacts,
    Weight,
)
from augsearch.words import listed

MOST_MARGINALS, MOST_PAIRS = 9, 8
"""Of each, how many are drawn."""


@dataclass(frozen=True)
class Understanding(Section):
    """What a study's trials say about the parameters. A part that is None had too few trials.

    Attributes:
        finished, complete: trials; stopped ones are finished, but have no score at the end.
        needed: part -> the trials that it asks for.
        quarter: policies in the best quarter.
        priced: whether the search went by scores less a price; scores here are in full.
        parameters: what the parts say of each parameter, those first of which something is shown.
    """

    template = "parameters"
    title = "Which parameters matter"

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

    @property
    def shown(self) -> bool:
        return bool(self.finished)

    @property
    def stopped(self) -> int:
        return self.finished - self.complete

    @property
    def findings(self) -> tuple[str, ...]:
        return (
            *(self.sentences or (self.weights_sentence,)),
            *self.interaction_sentences,
            *self.common_sentences,
        )

    @property
    def silence(self) -> str:
        """What there are too few trials for."""
        parts: tuple[tuple[str, object | None], ...] = (
            ("marginal effects", self.marginals),
            ("importance", self.weights),
            ("the best quarter", self.common),
            ("interactions", self.interactions),
        )
        lacking = [f"{name} ({self.needed[name]})" for name, part in parts if part is None]
        if not lacking:
            return ""
        return (
            f"Nothing is said yet of {listed(lacking)}: in brackets the finished trials that each "
            f"takes; there are {self.finished}."
        )

    @property
    def basis(self) -> str:
        """What the scores are."""
        guessed = (
            f" The {self.stopped} that were stopped count with their last score and the median of "
            "what the others gained from there on."
            if self.stopped
            else ""
        )
        full = (
            " Scores are in full, without what the search took off for cost." if self.priced else ""
        )
        return f"From all {self.finished} finished trials.{guessed}{full}"

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is shown of single parameters."""
        return tuple(sentence for one in self.parameters if (sentence := one.sentence))

    @property
    def table(self) -> Table:
        """What was tried of each parameter, what is shown, and what follows."""
        shown = [place for place, one in enumerate(self.parameters) if one.decides or one.moves]
        evidence = (
            "Evidence: points between the best and the worst mean along it, with the p-value of no "
            "effect after Holm's correction over all parameters; importance in multiples of what "
            "chance reaches in one of 20 studies, so that more than 1 is shown"
        )
        told = any(one.evidence for one in self.parameters)
        whole = Table(
            evidence if told else "Every searched parameter",
            ("parameter", "range", "tried", "best quarter", "evidence", "conclusion"),
            [
                (
                    one.name,
                    one.range_text,
                    "" if one.choices else one.unit.texts(one.tried),
                    one.quarter_text,
                    one.evidence,
                    one.conclusion,
                )
                for one in self.parameters
            ],
            text=(0, 4, 5),
            marked=shown,
        )
        return whole.only([at for at in range(6) if any(row[at] for row in whole.rows)])

    @property
    def weights_sentence(self) -> str:
        """What importance found, in words; empty if there are too few trials."""
        if self.weights is None:
            return ""
        shown = [f"{w.name} ({w.over_chance:.1f})" for w in self.weights if w.shown]
        basis = f"from {self.finished} trials"
        if not shown:
            return (
                "No parameter decides more than chance could whether a policy is among the best "
                f"quarter ({basis})."
            )
        return (
            "What decides whether a policy is among the best quarter, in multiples of what chance "
            f"reaches: {listed(shown)} ({basis})."
        )

    @property
    def drawn_marginals(self) -> tuple[Marginal, ...]:
        return (self.marginals or ())[:MOST_MARGINALS]

    @property
    def score_ends(self) -> tuple[float, float]:
        """Of the axis that the drawn marginals share, in percent."""
        scores = [score for one in self.drawn_marginals for _, score in one.points]
        return math.floor(100 * min(scores)) - 1.0, math.ceil(100 * max(scores)) + 1.0

    @property
    def interaction_sentences(self) -> tuple[str, ...]:
        return tuple(one.sentence for one in self.interactions or () if one.shown)

    @property
    def drawn_interactions(self) -> tuple[Interaction, ...]:
        return (self.interactions or ())[:MOST_PAIRS]

    @property
    def common_sentences(self) -> tuple[str, ...]:
        return tuple(one.sentence for one in self.common or () if one.shown)
