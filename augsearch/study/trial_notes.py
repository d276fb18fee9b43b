"""A trial's own page in MLflow: its score, its gain, and what it does otherwise than the best."""

from __future__ import annotations

from dataclasses import dataclass

from augsearch.space.handbook.policy_words import policy_differences, policy_steps
from augsearch.space.policy import Policy
from augsearch.store.frozen_trials import (
    FrozenTrial,
    trial_curve,
    trial_name,
    trial_outcome,
    trial_policy,
)
from augsearch.store.kept import NOTHING_GAINED
from augsearch.store.ranking import feasible
from augsearch.store.runs import BASELINE
from augsearch.store.study_store import Store
from augsearch.words import percent, points

LONGEST = 5000
"""Characters of a description that MLflow keeps on any database."""
UNANSWERED = "the best trial when this was written"
ANSWERED = "the policy of the verdict"
NO_WINNER = "the best in the confirmation, where no policy was shown to be worth using"


@dataclass(frozen=True)
class Standing:
    """What a study's trials are measured by, as it stands.

    Attributes:
        baseline: name and score of the best one in the search; None if none has a score.
        leader: name and policy of the verdict's, else of the best trial; None before both.
        role: what the leader is.
    """

    baseline: tuple[str, float] | None
    leader: tuple[str, Policy] | None
    role: str


def standing(store: Store) -> Standing:
    """The study as it stands."""
    scores = [
        (run.outcome.score, name)
        for (name, _), run in store.runs(BASELINE).items()
        if run.policy and run.outcome
    ]
    baseline = max(scores)[::-1] if scores else None
    kept = store.kept
    if (winner := kept.winner) and kept.result:
        verdict = kept.result["verdict"]
        role = NO_WINNER if verdict["code"] in NOTHING_GAINED else ANSWERED
        return Standing(baseline, (verdict["recommended"], winner), role)
    best = max(store.complete_trials(), key=_rank, default=None)
    leader = (trial_name(best), trial_policy(best)) if best else None
    return Standing(baseline, leader, UNANSWERED)


def _rank(trial: FrozenTrial) -> tuple[bool, float, int]:
    return feasible(trial), trial.values[0], -trial.number


def trial_note(trial: FrozenTrial, stands: Standing) -> str:
    """Markdown: how it did, and what differs from the leader, value by value."""
    policy = trial_policy(trial)
    lines = [_how_it_did(trial, stands.baseline), ""]
    if stands.leader is None:
        return "\n".join(lines)
    name, leader = stands.leader
    if name == trial_name(trial):
        rows = [f"- {'; '.join([title, *values])}" for title, _, values in policy_steps(policy)]
        return _cut([*lines, f"This is {stands.role}:", ""], rows)
    which = f"{name}, {stands.role}"
    differences = policy_differences(policy, leader)
    if not differences:
        return "\n".join([*lines, f"The same policy as {which}."])
    columns = f"| | {trial_name(trial)} | {name} |"
    lines += [f"What differs from {which}:", "", columns, "|---|---|---|"]
    return _cut(lines, [f"| {' | '.join(row)} |" for row in differences])


def _how_it_did(trial: FrozenTrial, baseline: tuple[str, float] | None) -> str:
    outcome, curve = trial_outcome(trial), trial_curve(trial)
    if outcome is None:
        if reason := trial.user_attrs.get("failure"):
            return f"**Failed:** {reason}"
        if not curve:
            return "**Stopped early.**"
        step, score = curve[-1]
        return f"**Stopped early** after {step} steps, at {percent(score)} %."
    if baseline is None:
        return f"**{percent(outcome.score)} %** in the search."
    name, score = baseline
    gain = points(100 * (outcome.score - score))
    return (
        f"**{percent(outcome.score)} %** in the search: **{gain} points** against the best "
        f"baseline, {name} ({percent(score)} %)."
    )


def _cut(head: list[str], rows: list[str]) -> str:
    """As many rows as MLflow keeps."""
    text = "\n".join(head)
    for row in rows:
        if len(text) + len(row) >= LONGEST:
            break
        text += f"\n{row}"
    return text
