"""From a name, as `studies show` shows it, to a policy of a study and its runs."""

from __future__ import annotations

from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from augsearch.bench.outcome import Outcome
from augsearch.errors import StudyError
from augsearch.space.policy import Policy
from augsearch.store.frozen_trials import trial_name, trial_outcome, trial_policy
from augsearch.store.runs import BASELINE, CONFIRMATION
from augsearch.store.study_store import Store
from augsearch.words import did_you_mean


@dataclass(frozen=True)
class Side:
    """A policy of a study, with what its runs showed.

    Attributes:
        searched: its run in the search, on validation images; None if that was not finished.
        confirmed: its runs in the confirmation, on sealed images, by seed.
    """

    name: str
    policy: Policy
    searched: Outcome | None
    confirmed: dict[int, Outcome]


def side_of(store: Store, name: str) -> Side:
    """The policy that is meant; `trial 12` may also be said as `12` or `trial-12`.

    Raises:
        StudyError: the study has none of that name, or it trains nothing.
    """
    wanted = _plain(f"trial {name}" if name.strip().isdigit() else name)
    confirmed = store.runs(CONFIRMATION)
    runs = {**store.runs(BASELINE), **confirmed}
    trials = {trial_name(trial): trial for trial in store.trials() if _has_policy(trial)}
    names = {_plain(one): one for one in (*trials, *(of for of, _ in runs))}
    if wanted not in names:
        baselines = dict.fromkeys(
            of for (of, _), run in runs.items() if run.policy is not None and of not in trials
        )
        near = did_you_mean(name, baselines)
        raise StudyError(
            f"{name}: the study {store.name!r} has no policy of that name{near or ';'} it has "
            f"{', '.join([*baselines, *_range(trials)])}"
        )
    known = names[wanted]
    found = {seed: run.outcome for (of, seed), run in confirmed.items() if of == known}
    outcomes = {seed: outcome for seed, outcome in sorted(found.items()) if outcome}
    if known in trials:
        trial = trials[known]
        return Side(known, trial_policy(trial), trial_outcome(trial), outcomes)
    run = next(run for (of, _), run in runs.items() if of == known)
    if run.policy is None:
        raise StudyError(f"{name}: is no policy, as nothing is trained; name a trial or a baseline")
    return Side(known, run.policy, store.outcomes(BASELINE).get((known, 0)), outcomes)


def _has_policy(trial: FrozenTrial) -> bool:
    return "policy" in trial.user_attrs and trial.state != TrialState.FAIL


def _plain(name: str) -> str:
    return name.casefold().replace("-", " ").strip()


def _range(trials: dict[str, FrozenTrial]) -> list[str]:
    numbers = [trial.number for trial in trials.values()]
    return [f"trial {min(numbers)} to trial {max(numbers)}"] if numbers else []
