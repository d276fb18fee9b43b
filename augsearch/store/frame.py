"""A study as a table: one row for each finished run, for pandas and for `trials.csv`."""

from __future__ import annotations

from typing import Any

import pandas as pd
from optuna.trial import FrozenTrial

from augsearch.bench.outcome import Outcome
from augsearch.space.policy import Policy
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.store.frozen_trials import trial_curve, trial_outcome, trial_policy, trial_score
from augsearch.store.runs import ON_SEALED, PHASES, Run
from augsearch.store.stored import find_study
from augsearch.store.study_store import Store

TRIAL = "trial"
WHOLE = ("trial", "replicate", "last_step", "steps")
FIRST = (
    *("kind", "name", "trial", "replicate", "state", "score", "scored_on"),
    *("last_step", "last_score", "steps", "failure", "policy"),
)
"""Columns that every table begins with."""


def study_frame(name: str, storage: str = DEFAULT_STORAGE) -> pd.DataFrame:
    """Every finished trial and every other finished run of a stored study.

    Columns: `kind` (trial, baseline, confirmation, certification…), `name`, `trial` (number),
    `replicate`, `state` (complete, pruned, fail), `score` (at the end), `last_step` and
    `last_score` (of a stopped trial: where it was stopped), `value/<aim>` (what the search went
    by), `scored_on` (validation, or the sealed test), `probe`, `full_probe`, `knn`,
    `recall/<class>`, `label_free/<name>`, `seconds/<part>`, `steps`, `images_per_second`,
    `peak_memory_mb`, `policy` (digest), `failure`, `searched/<parameter>` (what the sampler
    chose), and the policy's values under the names that MLflow shows (`view1.<op>.<parameter>`).
    What a run does not have is missing. Scores lie in [0, 1].

    Args:
        name: of the study.
        storage: URL of Optuna's database.

    Raises:
        StudyError: there is no study of that name.
    """
    return store_frame(find_study(storage, name))


def store_frame(store: Store) -> pd.DataFrame:
    """The same for a study that is open."""
    rows = [_trial_row(trial, store) for trial in store.trials()]
    for phase in PHASES:
        rows += [_run_row(run) for run in store.runs(phase).values()]
    columns = dict.fromkeys([*FIRST, *(key for row in rows for key in row)])
    # What was searched and the policies come last: they have many columns.
    ordered = sorted(columns, key=lambda name: name.startswith(("searched/", "view")))
    return pd.DataFrame(rows, columns=ordered).astype(dict.fromkeys(WHOLE, "Int64"))


def _trial_row(trial: FrozenTrial, store: Store) -> dict[str, Any]:
    outcome = trial_outcome(trial)
    last_step, last_score = max(trial_curve(trial), default=(None, None))
    told = trial.values or ()  # noqa: PD011, no pandas
    row: dict[str, Any] = {
        "kind": TRIAL,
        "name": f"{TRIAL} {trial.number}",
        "trial": trial.number,
        "replicate": 0,
        "state": trial.state.name.lower(),
        "score": trial_score(trial) if outcome else None,
        "last_step": outcome.steps if outcome else last_step,
        "last_score": outcome.score if outcome else last_score,
        **{f"value/{aim}": value for aim, value in zip(store.aims, told, strict=False)},
        "scored_on": "validation",
        **(_outcome_row(outcome) if outcome else {}),
        "failure": trial.user_attrs.get("failure", ""),
        **{f"searched/{name}": value for name, value in trial.params.items()},
    }
    if "policy" in trial.user_attrs:
        row |= _policy_row(trial_policy(trial))
    if not outcome and trial.duration:
        row["seconds/total"] = trial.duration.total_seconds()
    return row


def _run_row(run: Run) -> dict[str, Any]:
    outcome = run.outcome
    return {
        "kind": run.phase,
        "name": run.name,
        "replicate": run.replicate,
        "state": "complete" if outcome else "fail",
        "scored_on": "test" if run.phase in ON_SEALED else "validation",
        **({"score": outcome.score, **_outcome_row(outcome)} if outcome else {}),
        "failure": run.failure,
        **(_policy_row(run.policy) if run.policy else {}),
    }


def _outcome_row(outcome: Outcome) -> dict[str, Any]:
    return {
        "probe": outcome.probe,
        "full_probe": outcome.full_probe,
        "knn": outcome.knn,
        **{f"recall/{name}": value for name, value in outcome.class_recall.items()},
        **{f"label_free/{name}": value for name, value in outcome.label_free.items()},
        "steps": outcome.steps,
        **{f"seconds/{name}": value for name, value in outcome.seconds.items()},
        "images_per_second": outcome.images_per_second,
        "peak_memory_mb": outcome.peak_memory_mb,
    }


def _policy_row(policy: Policy) -> dict[str, Any]:
    return {"policy": policy.digest, **policy.flatten()}
