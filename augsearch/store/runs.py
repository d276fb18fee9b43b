"""Runs that are not trials, as they are stored: of baselines, confirmation, ablations."""

from __future__ import annotations

import time

from pydantic import BaseModel, ConfigDict

from augsearch.bench.outcome import Outcome
from augsearch.space.policy import Policy

BASELINE, CONFIRMATION, CERTIFICATION = "baseline", "confirmation", "certification"


ABLATION, SUPERVISED = "ablation", "supervised"


ALSO = "supervised confirmation"
"""Beside the confirmation: encoders trained with labels, scored on the sealed images."""


TRIAGE = "triage"
"""The encoder without training on further seeds, on the images of the search."""


ON_SEALED = (CONFIRMATION, ALSO)
"""Phases that are scored on the sealed images; all others on those of the search."""


PHASES = (BASELINE, CONFIRMATION, CERTIFICATION, ABLATION, SUPERVISED, ALSO, TRIAGE)


SCORING = 2
"""How runs are scored. 1: every seed with the label draws of the search, the untrained encoder
without statistics of batch norm. 2: as `Bench.label_draws` and `Bench.untrained` say."""


class Run(BaseModel):
    """One finished training run that is not a trial.

    Attributes:
        phase: one of `PHASES`.
        name: of the policy, for people; `untrained encoder` has none.
        policy: None for the untrained encoder.
        replicate: 0 for baselines and a triage's supervised runs, 1.. for its others and for
            confirmation of both kinds, 101.. for certification, 201.. for ablations.
        outcome: None if training diverged or collapsed; then `failure` says why.
        ended: milliseconds since 1970.
        scoring: see `SCORING`.
    """

    model_config = ConfigDict(frozen=True)

    phase: str
    name: str
    policy: Policy | None
    replicate: int
    outcome: Outcome | None
    ended: int
    failure: str = ""
    scoring: int = 1

    @property
    def key(self) -> str:
        scored = "" if self.scoring == 1 or self._as_ever else f"/scoring {self.scoring}"
        return f"{self.phase}/{self.name}/{self.replicate}{scored}"

    @property
    def _as_ever(self) -> bool:
        """Whether every version scores it alike: a policy under the search's own seed."""
        return self.replicate == 0 and self.policy is not None

    @property
    def is_current(self) -> bool:
        """Whether a run made now would be scored alike."""
        return self.scoring == SCORING or self._as_ever


def made_again(runs: int) -> str:
    """What is said of so many runs that are `Store.outdated`."""
    return (
        f"{runs} run{'s' if runs > 1 else ''} of an older version of augsearch left out, and "
        "repeated where needed: that version scored all seeds with the same labels, and the "
        "untrained encoder without statistics"
    )


def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)
