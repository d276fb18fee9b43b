"""What a study has found so far, in Optuna's database: the one place that decides.

A study's trials are an Optuna study under its name. Runs that are not trials (baselines, the
untrained encoder, confirmation) are kept beside it, in a companion study that no sampler sees.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import uuid4

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from augsearch.bench.outcome import Outcome
from augsearch.errors import StudyError
from augsearch.space.policy import Policy
from augsearch.store.frozen_trials import (
    FINISHED,
    KILLED,
    NUMBER,
    PRIOR,
    full_values,
    numbered,
    trial_outcome,
    trial_policy,
    trial_score,
)
from augsearch.store.kept import Kept
from augsearch.store.ranking import direction, pareto_front, ranked
from augsearch.store.runs import Run
from augsearch.store.sealed import SEALED, count_sealed_use
from augsearch.store.settings import differences
from augsearch.study_sections import Aim
from augsearch.words import did_you_mean

COMPANION = " / beside"


class Store:
    """Trials and other runs of one study.

    Attributes:
        kept: what else the study knows: what was asked for, the answer, certificates, ablations.

    Args:
        storage: the database.
        name: the study's name.
        aims: what trials are compared by; readers get those that the study was made with.

    Raises:
        StudyError: `settings` is given and differs from what the study was made with, or is not
            given and the study does not exist.
    """

    def __init__(
        self,
        storage: optuna.storages.BaseStorage,
        name: str,
        *,
        settings: Mapping[str, Any] | None = None,
        aims: Sequence[Aim] = ("score",),
    ) -> None:
        self.name = name
        names = optuna.get_all_study_names(storage)
        if name not in names and settings is None:
            known = [one for one in names if _is_study(one)]
            raise StudyError(
                f"there is no study {name!r}{did_you_mean(name, known) or ';'} stored: "
                f"{', '.join(known) or 'none'}"
            )
        self.trials_study = optuna.create_study(
            storage=storage,
            study_name=name,
            directions=[direction(aim) for aim in aims],
            load_if_exists=True,
        )
        self._companion = optuna.create_study(
            storage=storage,
            study_name=name + COMPANION,
            direction="maximize",
            load_if_exists=True,
        )
        self._storage = storage
        self.kept = Kept(self.trials_study)
        if settings is not None:
            self._claim(json.loads(json.dumps(settings)))

    def _claim(self, settings: dict[str, Any]) -> None:
        stored = self.trials_study.user_attrs.get("settings")
        if stored is None:
            self.trials_study.set_user_attr("identity", uuid4().hex)
            self.trials_study.set_user_attr("settings", settings)
            return
        if found := differences(stored, settings):
            raise StudyError(
                f"the study {self.name!r} exists with other settings: {found}; choose another "
                "--name, or delete it with `augsearch studies delete`"
            )

    @property
    def aims(self) -> tuple[Aim, ...]:
        """What trials are compared by."""
        return tuple(self.kept.settings.get("study", {}).get("search", {}).get("aims", ("score",)))

    def front(self) -> list[FrozenTrial]:
        """The complete trials that none beats in every aim, best score first. Scores count in full,
        as they are shown: what the search takes off for cost is not in them."""
        found = pareto_front(self.complete_trials(), self.aims, full_values)
        return sorted(found, key=lambda trial: (-trial_score(trial), trial.number))

    def trials(self) -> list[FrozenTrial]:
        """Finished and failed trials in order, without those whose process died or of a prior."""
        found = [
            numbered(trial)
            for trial in self.trials_study.get_trials(deepcopy=False)
            if trial.state.is_finished() and not {KILLED, PRIOR} & trial.user_attrs.keys()
        ]
        return sorted(found, key=lambda trial: trial.number)

    def prior(self) -> list[FrozenTrial]:
        """Trials of the study that this one began from."""
        return [t for t in self.trials_study.get_trials(deepcopy=False) if PRIOR in t.user_attrs]

    def add_prior(
        self,
        params: Mapping[str, Any],
        distributions: dict[str, BaseDistribution],
        values: Sequence[float],
        constraints: Mapping[str, float],
        origin: str,
    ) -> bool:
        """Let the sampler know of a trial of another study; False if it lies outside the space.

        Args:
            values: one for each aim of this study.
        """
        try:
            trial = optuna.create_trial(
                params={name: params[name] for name in distributions},
                distributions=distributions,
                values=list(values),
                constraints=dict(constraints),
                user_attrs={PRIOR: origin},
            )
        except (KeyError, ValueError):
            return False
        self.trials_study.add_trial(trial)
        return True

    def finished(self) -> list[FrozenTrial]:
        """Complete and pruned trials in order."""
        return [trial for trial in self.trials() if trial.state in FINISHED]

    def complete_trials(self) -> list[FrozenTrial]:
        """Trials that ran to their end, in order."""
        return [trial for trial in self.trials() if trial.state == TrialState.COMPLETE]

    def complete(self) -> list[tuple[Policy, Outcome]]:
        """What the trials that ran to their end tried and showed, in order."""
        return [
            (trial_policy(trial), outcome)
            for trial in self.trials()
            if (outcome := trial_outcome(trial))
        ]

    def failed(self) -> list[FrozenTrial]:
        """Trials that failed on their own account."""
        return [trial for trial in self.trials() if trial.state == TrialState.FAIL]

    def best_trials(self, count: int) -> list[FrozenTrial]:
        """The best complete trials with distinct policies, best first; see `aims.ranked`."""
        distinct: dict[str, FrozenTrial] = {}
        for trial in ranked(self.complete_trials(), self.aims):
            distinct.setdefault(trial_policy(trial).digest, trial)
        return list(distinct.values())[:count]

    def placed(self) -> dict[int, FrozenTrial]:
        """Finished and failed trials by their place in the search, from 0."""
        found = self.trials()
        of_older = [trial for trial in found if NUMBER not in trial.user_attrs]
        first = self.number_at(0)
        return dict(enumerate(of_older)) | {
            trial.number - first: trial for trial in found if NUMBER in trial.user_attrs
        }

    def killed_points(self) -> dict[int, FrozenTrial]:
        """The last trial that died with its process at each place."""
        first = self.number_at(0)
        return {
            trial.user_attrs[NUMBER] - first: trial
            for trial in self.trials_study.get_trials(deepcopy=False)
            if {KILLED, NUMBER} <= trial.user_attrs.keys()
        }

    def number_at(self, place: int) -> int:
        """What a trial at a place of the search is known by."""
        before = [
            trial
            for trial in self.trials_study.get_trials(deepcopy=False)
            if NUMBER not in trial.user_attrs and {KILLED, PRIOR} & trial.user_attrs.keys()
        ]
        return place + len(before)

    def begin_trial(
        self,
        number: int,
        params: Mapping[str, Any],
        distributions: Mapping[str, BaseDistribution],
        attributes: Mapping[str, Any],
    ) -> int:
        """Keep a trial that is to be run, in one write; what `report` and `end_trial` know it by.

        Args:
            number: that it is known by.
        """
        trial = optuna.create_trial(
            state=TrialState.RUNNING,
            params=dict(params),
            distributions=dict(distributions),
            user_attrs={NUMBER: number, **attributes},
        )
        return self._storage.create_new_trial(self.trials_study._study_id, template_trial=trial)

    def report(self, record: int, step: int, value: float) -> None:
        """Keep what a running trial showed at a rung."""
        self._storage.set_trial_intermediate_value(record, step, value)

    def end_trial(
        self,
        record: int,
        state: TrialState,
        *,
        values: Sequence[float] | None = None,
        attributes: Mapping[str, Any] | None = None,
        constraints: Mapping[str, float] | None = None,
    ) -> None:
        """Keep how a running trial ended."""
        for name, value in (attributes or {}).items():
            self._storage.set_trial_user_attr(record, name, value)
        trial = optuna.trial.Trial(self.trials_study, record)
        for name, excess in (constraints or {}).items():
            trial.set_constraint(name, excess)
        self.trials_study.tell(trial, values, state=state)

    def bury_dead_trials(self) -> int:
        """Mark trials that a dead process left running; call only while holding the lock."""
        dead = [
            t for t in self.trials_study.get_trials(deepcopy=False) if not t.state.is_finished()
        ]
        for trial in dead:
            self._storage.set_trial_user_attr(trial._trial_id, KILLED, True)
            self.trials_study.tell(trial.number, state=TrialState.FAIL)
        return len(dead)

    def runs(self, phase: str) -> dict[tuple[str, int], Run]:
        """Finished and failed runs of a phase by (policy name, replicate)."""
        return {(run.name, run.replicate): run for run in self.all_runs() if run.phase == phase}

    def outcomes(self, phase: str) -> dict[tuple[str, int], Outcome]:
        """What the runs of a phase showed, without the failed ones."""
        return {key: run.outcome for key, run in self.runs(phase).items() if run.outcome}

    def outcomes_of(self, phase: str, name: str) -> list[Outcome]:
        """Those of one policy, by seed."""
        found = self.outcomes(phase)
        return [found[key] for key in sorted(found) if key[0] == name]

    def add_run(self, run: Run) -> None:
        """Keep a finished or failed run."""
        state = TrialState.COMPLETE if run.outcome else TrialState.FAIL
        self._companion.add_trial(
            optuna.create_trial(
                state=state,
                value=run.outcome.score if run.outcome else None,
                user_attrs={"run": run.model_dump_json()},
            )
        )

    def count_sealed_use(self, marks: Sequence[str]) -> int:
        """Note that this study opens the sealed split; how often that has happened by now.

        Every confirmation of policies chosen by other trials counts, in whichever study, that
        looked at some of these images. The note outlives the study: a split that chose among
        policies once is less sealed.

        Args:
            marks: of the sealed images, see `data.splits.sealed_marks`.
        """
        self.kept.sealed = marks
        use = f"{self.kept.identity} {len(self.finished())}"
        return count_sealed_use(self._storage, marks, by=self.name, use=use)

    def ablations_of_the_same_images(self) -> list[Store]:
        """What the database holds of ablations of the same images."""
        names = optuna.get_all_study_names(self._storage)
        stores = [Store(self._storage, name) for name in names if _is_study(name)]
        images = self.kept.settings["data"]["digest"]
        return [
            s for s in stores if s.kept.is_ablation and s.kept.settings["data"]["digest"] == images
        ]

    def all_runs(self) -> list[Run]:
        """Finished and failed runs of all phases, in the order in which they ended, without
        `outdated` ones."""
        return [run for run in self._stored_runs() if run.is_current]

    @property
    def outdated(self) -> int:
        """Runs of an older version that scored otherwise: to be made again, not to be mixed in."""
        stored = self._stored_runs()
        anew = {(run.phase, run.name, run.replicate) for run in stored if run.is_current}
        return len(
            {(run.phase, run.name, run.replicate) for run in stored if not run.is_current} - anew
        )

    def _stored_runs(self) -> list[Run]:
        return [
            _read_run(trial.user_attrs["run"])
            for trial in self._companion.get_trials(deepcopy=False)
        ]


def _is_study(name: str) -> bool:
    return not name.endswith(COMPANION) and name != SEALED


def _read_run(text: str) -> Run:
    # The file of a user's own operation may have moved since.
    return Run.model_validate_json(text) if '"custom"' in text else _read_once(text)


@lru_cache(maxsize=4096)
def _read_once(text: str) -> Run:
    """Reads each stored run once: a study asks for its runs again after every one of them."""
    return Run.model_validate_json(text)
