"""The policy to use: in words, and what it does to the study's images."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from augsearch.report.sections.policy import Recipe
from augsearch.report.sections.views import PolicyViews, Views
from augsearch.search.report.results import Contender
from augsearch.space.handbook.policy_words import policy_steps
from augsearch.space.policy import Policy


def recipe(policy: Policy, winner: Policy | None) -> Recipe:
    """A policy in words; as the stored `winner` if that is the same one, which knows more."""
    shown = winner if winner is not None and winner.digest == policy.digest else policy
    return Recipe(shown.name, shown.digest, policy_steps(shown), shown.to_yaml())


def views(
    contenders: Sequence[Contender], paint: Callable[[Policy], bytes] | None, missing: str
) -> Views:
    """Pictures of these policies' views; without `paint` none, and `missing` says why."""
    if paint is None:
        return Views(missing=missing)
    pictures = [PolicyViews(one.name, paint(one.policy)) for one in contenders if one.policy]
    return Views(tuple(pictures), missing)
