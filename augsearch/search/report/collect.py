"""From a stored study to everything that its report shows. Reads; trains nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from optuna.trial import FrozenTrial, TrialState
from pydantic import ValidationError

from augsearch.augment.baselines import for_channels
from augsearch.bench.bench import Outcome
from augsearch.errors import ConfigError
from augsearch.report.content import (
    BudgetAgreement,
    CertificateRead,
    ClassEffect,
    ClassEffects,
    Costs,
    Fidelity,
    Front,
    FrontPoint,
    Headline,
    PolicyRow,
    ProxiesRead,
    Recipe,
    Report,
    Reproduce,
    RungAgreement,
    Scale,
    TrialPoint,
    Views,
)
from augsearch.search.certificate.certificate import Certificate
from augsearch.search.confirm.verdict import UNTRAINED
from augsearch.search.report.ablation import ablation_sections
from augsearch.search.report.parameters.axes import bounds, choices, is_log
from augsearch.search.report.parameters.understand import understand
from augsearch.search.result import outputs
from augsearch.search.result.proxies import PROXY_COLUMNS
from augsearch.search.result.result import LEVEL, MANY_USES, StudyResult, sealed_note
from augsearch.space.costs import NOT_MEASURED, measured_costs
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import OneOf, PolicyOp
from augsearch.space.policy_words import policy_steps
from augsearch.stats.crossed import estimate_mean
from augsearch.stats.ranks import spearman
from augsearch.store.database import DEFAULT_STORAGE, is_running, shown_url
from augsearch.store.frozen_trials import trial_curve, trial_outcome, trial_policy
from augsearch.store.runs import BASELINE, CONFIRMATION, PHASES, SCORING
from augsearch.store.stored import stored_space
from augsearch.store.study_store import Store
from augsearch.study.command import command_line
from augsearch.study.setup import EMBEDDED, Setup
from augsearch.study_file import StudyConfig
from augsearch.words import listed, points

PHASE_NAMES = {BASELINE: "baselines"}
FEWEST_PAIRS = 10
"""Runs below which no rank correlation of a rung is shown."""


@dataclass(frozen=True)
class Sources:
    """Where a report's content comes from.

    Attributes:
        setup: the study with its images; None if these cannot be read.
        paint: draws a policy's views of some of them; None without a setup.
        result: None while there is no verdict.
        missing: why there is no setup, or empty.
    """

    store: Store
    config: StudyConfig
    storage: str
    setup: Setup | None
    paint: Callable[[Policy], bytes] | None
    result: StudyResult | None
    missing: str = ""

    @property
    def channels(self) -> int:
        """Of the images; 3 where it is not known."""
        if self.setup:
            return self.setup.image_set.channels
        return int(self.result.data["channels"]) if self.result else 3

    @property
    def metric(self) -> str:
        return self.config.evaluate.measured.replace("_", " ")

    def policy(self, name: str) -> Policy | None:
        """A trial's or baseline's policy as it acts on these images."""
        for trial in self.store.trials():
            if f"trial {trial.number}" == name:
                return for_channels(trial_policy(trial), self.channels)
        run = self.store.runs(BASELINE).get((name, 0))
        return for_channels(run.policy, self.channels) if run and run.policy else None


def collect(sources: Sources) -> Report:
    """Everything in the report."""
    store = sources.store
    trials = store.trials()
    states = [trial.state.name.lower() for trial in trials]
    counts = {state: states.count(state) for state in ("complete", "pruned", "fail")}
    rows = _rows(sources)
    ours, theirs = _pair(rows)
    baselines = {
        name: outcome.score
        for (name, _), outcome in store.outcomes(BASELINE).items()
        if name != UNTRAINED
    }
    best_baseline = max(baselines, key=lambda name: baselines[name], default=None)
    effects = _class_effects(sources, ours, theirs)
    return Report(
        study=store.name,
        written=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        metric=sources.metric,
        data=_data(sources),
        headline=_headline(sources, rows, effects),
        counts=counts,
        policies=rows,
        views=_views(sources, [name for name in (ours, theirs) if name]),
        missing=sources.missing,
        recipe=_recipe(sources, ours),
        effects=effects,
        understanding=understand(store.finished(), limits=_limits(sources)),
        trials=tuple(_point(trial) for trial in trials),
        scales=_scales(trials),
        baseline=(best_baseline, baselines[best_baseline]) if best_baseline else None,
        fidelity=_fidelity(sources),
        costs=_costs(sources, [name for name in (ours, theirs) if name]),
        reproduce=_reproduce(sources),
        front=_front(sources),
        extras=ablation_sections(store),
    )


def _headline(
    sources: Sources, rows: Sequence[PolicyRow], effects: ClassEffects | None
) -> Headline:
    store, result = sources.store, sources.result
    finished = len(store.finished())
    certificate = _certificate(store)
    notes = [f"{certificate.sentence} {certificate.advice}"] if certificate else []
    warnings: list[str] = []
    if result is None:
        return _unfinished(sources, rows, notes)
    more = finished - result.trials["complete"] - result.trials["pruned"]
    if more > 0:
        warnings.append(
            f"this verdict is older than the study's last {more} trials, which have not been "
            f"confirmed; go on with: {_command(sources)}"
        )
    if result.scoring < SCORING:
        warnings.append(
            "an older version of augsearch judged this: it scored all seeds with the same labels, "
            "and its intervals are too narrow where classes have few images; it is judged anew "
            f"by: {_command(sources)}"
        )
    losing = [c for c in effects.classes if c.finding == "loses"] if effects else []
    if effects and losing:
        named = listed([f"{c.name} ({points(c.difference)} points)" for c in losing])
        notes.append(f"Against {effects.theirs} it costs these classes recall: {named}.")
    if kept := result.kept_classes:
        (notes if kept.holds else warnings).append(kept.sentence)
    if uses := sealed_note(result.sealed_split_uses):
        (warnings if result.sealed_split_uses > MANY_USES else notes).append(uses)
    if result.proxies and (misleading := result.proxies.warning(sources.config.evaluate.score)):
        warnings.append(misleading)
    return Headline(
        finished=True,
        sentence=result.verdict.sentence,
        advice=result.verdict.advice,
        basis=result.verdict.basis,
        notes=tuple(notes),
        warnings=tuple(warnings),
    )


def _unfinished(sources: Sources, rows: Sequence[PolicyRow], notes: Sequence[str]) -> Headline:
    store = sources.store
    wanted, finished = sources.config.search.trials, len(store.finished())
    running = is_running(sources.storage, store.name)
    state = "is still running" if running else "is not finished"
    stand = f"{finished} of {wanted} trials are"
    if confirmed := len(store.runs(CONFIRMATION)):
        stand = f"all trials and {confirmed} runs of the confirmation are"
    candidates = [row for row in rows if row.kind == "candidate" and row.search is not None]
    best = max(candidates, key=lambda row: row.search or 0.0, default=None)
    ahead = f" Best so far: {best.name}, {100 * (best.search or 0):.1f} %." if best else ""
    go_on = (
        "Write the report again when it has ended; `run` does so by itself."
        if running
        else f"Go on with: {_command(sources)}"
    )
    return Headline(
        finished=False,
        sentence=f"This study {state}: {stand} done.{ahead}",
        advice=go_on,
        basis="Scores of single seeds in the search; nothing is decided before the confirmation.",
        notes=tuple(notes),
    )


def _rows(sources: Sources) -> tuple[PolicyRow, ...]:
    """The results' table: the verdict's policies, or what there is without one."""
    if result := sources.result:
        return tuple(
            PolicyRow(
                name=p.name,
                kind=p.kind,
                search=p.search_score,
                confirmed=p.confirmed_scores,
                mean=p.confirmed_mean,
                interval=p.interval,
                seeds_only=p.confirmed_interval if p.images_interval else None,
                chosen=p.name == result.verdict.recommended,
            )
            for p in result.policies
        )
    store = sources.store
    confirmed = store.outcomes(CONFIRMATION)

    def row(name: str, outcome: Outcome, found: bool) -> PolicyRow:
        seeds = [o for (of, _), o in sorted(confirmed.items()) if of == name]
        mean = estimate_mean(seeds, None) if len(seeds) > 1 else None
        return PolicyRow(
            name=name,
            kind="candidate" if found else "floor" if name == UNTRAINED else "baseline",
            search=outcome.score,
            confirmed=tuple(seed.score for seed in seeds) if mean else (),
            mean=mean.mean if mean else None,
            interval=mean.interval(LEVEL) if mean else None,
            seeds_only=None,
            chosen=False,
        )

    trials = [
        row(f"trial {trial.number}", outcome, True)
        for trial in store.best_trials(sources.config.confirm.top)
        if (outcome := trial_outcome(trial))
    ]
    others = [row(name, o, False) for (name, _), o in store.outcomes(BASELINE).items()]
    return tuple(sorted([*trials, *others], key=lambda r: (-(r.mean or 0), -(r.search or 0))))


def _pair(rows: Sequence[PolicyRow]) -> tuple[str | None, str | None]:
    """The policy to look at, and what to compare it with: the best of the other kind."""

    def best(kind: str) -> str | None:
        own = [row for row in rows if row.kind == kind]
        found = max(own, key=lambda row: (row.mean or 0.0, row.search or 0.0), default=None)
        return found.name if found else None

    chosen = next((row for row in rows if row.chosen), None)
    if chosen is None:
        return best("candidate"), best("baseline")
    return chosen.name, best("candidate" if chosen.kind == "baseline" else "baseline")


def _views(sources: Sources, names: Sequence[str]) -> tuple[Views, ...]:
    paint = sources.paint
    if paint is None:
        return ()
    policies = [(name, sources.policy(name)) for name in names]
    return tuple(Views(name, paint(policy)) for name, policy in policies if policy)


def _recipe(sources: Sources, name: str | None) -> Recipe | None:
    policy = sources.policy(name) if name else None
    if policy is None:
        return None
    stored = sources.store.winner if sources.result else None
    shown = stored if stored is not None and stored.digest == policy.digest else policy
    return Recipe(shown.name, shown.digest, policy_steps(shown), shown.to_yaml())


def _class_effects(sources: Sources, ours: str | None, theirs: str | None) -> ClassEffects | None:
    """Recall of each class: as judged if there is a verdict, else in the search."""
    if ours is None or theirs is None:
        return None
    if (result := sources.result) and result.classes:
        judged = result.classes
        return ClassEffects(
            ours=judged.ours,
            theirs=judged.against,
            seeds=judged.seeds,
            classes=tuple(
                _class_effect(c.name, c.ours, c.theirs, c.interval) for c in judged.classes
            ),
        )
    if sources.result:
        recalls = {p.name: p.class_recall for p in sources.result.policies}
        seeds = sources.result.verdict.seeds.get(theirs, 0)
    else:
        recalls = {name: o.class_recall for name, o in _searched(sources.store).items()}
        seeds = 1
    first, second = recalls.get(ours, {}), recalls.get(theirs, {})
    names = [name for name in first if name in second]
    if not names:
        return None
    return ClassEffects(
        ours=ours,
        theirs=theirs,
        seeds=seeds,
        classes=tuple(_class_effect(name, first[name], second[name], None) for name in names),
    )


def _class_effect(
    name: str, ours: float, theirs: float, interval: tuple[float, float] | None
) -> ClassEffect:
    low, high = (100 * interval[0], 100 * interval[1]) if interval else (None, None)
    return ClassEffect(name, ours, theirs, 100 * (ours - theirs), low, high)


def _searched(store: Store) -> dict[str, Outcome]:
    """What baselines and complete trials showed in the search, by name."""
    found = {name: outcome for (name, _), outcome in store.outcomes(BASELINE).items()}
    for trial in store.trials():
        if outcome := trial_outcome(trial):
            found[f"trial {trial.number}"] = outcome
    return found


def _point(trial: FrozenTrial) -> TrialPoint:
    outcome = trial_outcome(trial)
    curve = outcome.curve if outcome else trial_curve(trial)
    failed = trial.state == TrialState.FAIL
    return TrialPoint(
        number=trial.number,
        state="fail" if failed else "complete" if outcome else "pruned",
        score=None if failed or not curve else curve[-1][1],
        curve=curve,
        params=trial.params,
    )


def _scales(trials: Sequence[FrozenTrial]) -> tuple[Scale, ...]:
    axes = trials[0].distributions if trials else {}
    return tuple(
        Scale(name, *bounds(axis), is_log(axis), choices(axis))
        for name, axis in axes.items()
        if not axis.single()
    )


def _limits(sources: Sources) -> dict[str, tuple[float, float]]:
    """Of the parameters, where the space can be read."""
    try:
        space = sources.setup.space if sources.setup else stored_space(sources.store)
    except (ConfigError, ValidationError):
        return {}
    return {axis.name: axis.limits for axis in space.axes() if axis.limits}


def _fidelity(sources: Sources) -> Fidelity:
    proxies = sources.result.proxies if sources.result else None
    return Fidelity(
        steps=sources.config.pretrain.steps,
        rungs=tuple(_rung(sources.store, step) for step in sources.config.rungs),
        certificate=_certificate(sources.store),
        proxies=ProxiesRead(proxies.sentence, PROXY_COLUMNS, proxies.rows) if proxies else None,
    )


def _rung(store: Store, step: int) -> RungAgreement:
    outcomes = [outcome for _, outcome in store.complete()]
    outcomes += store.outcomes(BASELINE).values()
    curves = [(dict(outcome.curve), outcome.score) for outcome in outcomes]
    pairs = tuple((curve[step], score) for curve, score in curves if step in curve)
    columns = np.array(pairs, dtype=float).reshape(-1, 2).T
    if len(pairs) < FEWEST_PAIRS or not np.ptp(columns, axis=1).all():
        return RungAgreement(step, pairs, None, None, None)
    seen = spearman(*columns)
    return RungAgreement(step, pairs, seen.value, seen.low, seen.high)


def _certificate(store: Store) -> CertificateRead | None:
    if not store.certificate:
        return None
    found = Certificate.model_validate(store.certificate)
    return CertificateRead(
        sentence=found.sentence,
        advice=found.advice,
        longest=found.longest,
        policies=found.policies,
        regret=found.regret,
        best=found.best,
        budgets=tuple(
            BudgetAgreement(b.steps, b.spearman, *b.interval, b.doubt) for b in found.budgets
        ),
        lead=found.lead_words,
        scores=tuple(
            (one.name, (one.short, *(one.mean(steps) for steps in sorted(one.scores))))
            for one in found.tried
        ),
    )


def _costs(sources: Sources, names: Sequence[str]) -> Costs:
    store, config = sources.store, sources.config
    trials = [t.duration.total_seconds() for t in store.trials() if t.duration]
    phases: dict[str, tuple[int, float]] = {"trials": (len(trials), sum(trials))}
    for phase in PHASES:
        seconds = [outcome.seconds["total"] for outcome in store.outcomes(phase).values()]
        phases[PHASE_NAMES.get(phase, phase)] = (len(seconds), sum(seconds))
    complete = [outcome.seconds for _, outcome in store.complete()]
    parts = {}
    if complete:
        mean = {key: float(np.mean([s[key] for s in complete])) for key in complete[0]}
        parts = {
            "encoder": mean["training"] - mean["views"],
            "views": mean["views"],
            "scoring": mean["probe"],
        }
    policies = [(name, policy) for name in names if (policy := sources.policy(name))]
    ops = [_op_costs(policy, config) for _, policy in policies]
    table, size = measured_costs(), config.data.image_size
    order = dict.fromkeys(op for costs in ops for op in costs)
    return Costs(
        phases={name: found for name, found in phases.items() if found[0]},
        parts=parts,
        ops=tuple((op, tuple(costs.get(op) for costs in ops)) for op in order)
        if table is not NOT_MEASURED
        else (),
        policies=tuple(name for name, _ in policies),
        basis=f"For images of {size} px; costs measured on {table.machine}, {table.date}.",
    )


def _op_costs(policy: Policy, config: StudyConfig) -> dict[str, float]:
    """Microseconds that each operation takes for a view of an image, gate taken into account."""
    runs_on = "kornia" if config.compute.executor == "kornia" else "fused"
    table, size = measured_costs(), config.data.image_size
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


def _front(sources: Sources) -> Front | None:
    store = sources.store
    if len(store.aims) == 1:
        return None
    found = outputs.front_points(store, sources.config, sources.channels)
    return Front(
        outputs.AXES[store.aims[1]][0],
        tuple(
            FrontPoint(p.label if p.kind == "baseline" else f"trial {p.label}", p.x, p.y, p.kind)
            for p in found
        ),
        outputs.front_note(sources.config),
    )


def _data(sources: Sources) -> str:
    facts: Mapping[str, str | int] = {}
    if sources.setup:
        facts = outputs.data_facts(sources.setup)
    elif sources.result:
        facts = sources.result.data
    if not facts:
        return f"Images: {sources.store.settings['data']['name']}"
    return outputs.data_in_words(facts)


def _reproduce(sources: Sources) -> Reproduce:
    store, result, config = sources.store, sources.result, sources.config
    settings, asked = store.settings, store.asked
    seeds = ""
    if result:
        seeds = f"{result.confirmation_seeds[0]} to {result.confirmation_seeds[-1]}"
    facts = {
        "in the directory": asked.get("directory", ""),
        "by a command": asked.get("in_python", ""),
        "seed": str(settings["seed"]),
        "seeds of the confirmation": seeds,
        "data": str(asked["data"]),
        "space": str(asked["space_file"]),
        "study file": str(asked["study_file"]),
        "encoder": config.encoder.name,
        "steps of a trial": str(config.pretrain.steps),
        "steps of a confirmation": str(config.confirm.steps),
        "device": result.device if result else "",
        # The files that the command names may have been changed since.
        "both as they were read": "space.json and study.json, beside result.json" if result else "",
    }
    digests = result.digests if result else {"data": settings["data"]["digest"]}
    return Reproduce(
        command=_command(sources),
        facts={what: said for what, said in facts.items() if said},
        digests=digests,
        versions=result.versions if result else {},
    )


def _command(sources: Sources) -> str:
    """The command that repeats the study or goes on with it, where its parts are now."""
    asked, setup = sources.store.asked, sources.setup
    if "flags" not in asked:  # an older version made the study
        if sources.result:
            return sources.result.command
        return setup.command() if setup else "its command, as it was given"
    flags = dict(asked["flags"])
    flags["--storage"] = None if sources.storage == DEFAULT_STORAGE else shown_url(sources.storage)
    if setup and setup.source not in (asked["data"], EMBEDDED):
        flags["--data"] = setup.source
    return command_line("run", flags)
