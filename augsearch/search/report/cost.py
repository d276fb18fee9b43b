"""Where the time of a study went, and what its policies cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from augsearch.report.sections.cost import Costs
from augsearch.search.report.results import Contender
from augsearch.space.handbook.costs import NOT_MEASURED, measured_costs
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import OneOf, PolicyOp
from augsearch.store.runs import BASELINE, PHASES
from augsearch.store.study_store import Store
from augsearch.study_file import StudyConfig

PHASE_NAMES = {BASELINE: "baselines"}


def costs(store: Store, config: StudyConfig, contenders: Sequence[Contender]) -> Costs:
    """Of the study's runs, and of these policies' operations."""
    policies = [(one.name, one.policy) for one in contenders if one.policy]
    ops = [_op_costs(policy, config) for _, policy in policies]
    table, size = measured_costs(), config.data.side
    order = dict.fromkeys(op for costs in ops for op in costs)
    return Costs(
        phases=_phases(store),
        parts=_parts(store),
        ops=tuple((op, tuple(costs.get(op) for costs in ops)) for op in order)
        if table is not NOT_MEASURED
        else (),
        policies=tuple(name for name, _ in policies),
        basis=f"For images of {size} px; costs measured on {table.machine}, {table.date}.",
    )


def _phases(store: Store) -> dict[str, tuple[int, float]]:
    """Runs and seconds of each phase that has runs."""
    trials = [t.duration.total_seconds() for t in store.trials() if t.duration]
    phases = {"trials": (len(trials), sum(trials))}
    for phase in PHASES:
        seconds = [outcome.seconds["total"] for outcome in store.outcomes(phase).values()]
        phases[PHASE_NAMES.get(phase, phase)] = (len(seconds), sum(seconds))
    return {name: found for name, found in phases.items() if found[0]}


def _parts(store: Store) -> dict[str, float]:
    """What a complete trial spends its seconds on."""
    complete = [outcome.seconds for _, outcome in store.complete()]
    if not complete:
        return {}
    mean = {key: float(np.mean([s[key] for s in complete])) for key in complete[0]}
    return {
        "encoder": mean["training"] - mean["views"],
        "views": mean["views"],
        "scoring": mean["probe"],
    }


def _op_costs(policy: Policy, config: StudyConfig) -> dict[str, float]:
    """Microseconds that each operation takes for a view of an image, gate taken into account."""
    runs_on = "kornia" if config.compute.executor == "kornia" else "fused"
    table, size = measured_costs(), config.data.side
    found: dict[str, float] = {}

    def add(op: PolicyOp, share: float) -> None:
        if isinstance(op, OneOf):
            for member in op.ops:
                add(member, share * op.p / len(op.ops))
        else:
            cost = share * op.p * table.microseconds(op.op, size, runs_on)
            found[op.instance] = found.get(op.instance, 0.0) + cost

    for ops in policy.views:
        for op in ops:
            add(op, 0.5)
    return found
