"""`augsearch ablate`: which operations and which pairs of them help, hurt, and whom.

All scores are of validation images; the sealed ones stay sealed. An ablation has a store of its
own. What decides a score (images, encoder, budget, seed) is the same for all ablations of a store,
and cells are known by their policy's digest, so several ablations share the cells that they have
in common, within a store and between stores of one database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from optuna.exceptions import StorageInternalError

from augsearch.bench.bench import Bench, Outcome
from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError, DataError, StudyError
from augsearch.files import write_files
from augsearch.progress import Progress, Quiet, duration
from augsearch.search.ablation.cost import (
    AblationEstimate,
    makespan,
    overhead_seconds,
    processes_for,
    run_seconds,
)
from augsearch.search.ablation.files import ablation_files
from augsearch.search.ablation.plan import (
    Cell,
    Mode,
    Plan,
    Protocol,
    Training,
    at_bound,
    check_known,
    chosen,
    plan_add_one,
    plan_leave_one_out,
    plan_pairs,
    plan_strength,
)
from augsearch.search.ablation.result import Ablation, Key, analyse
from augsearch.search.ablation.words import changed_by, in_words
from augsearch.search.confirm.confirmation import validation_images
from augsearch.search.report.files import ablation_report_files
from augsearch.search.result import outputs
from augsearch.search.result.result import versions
from augsearch.space.points import bound_policy, middle_policy, operations
from augsearch.space.policy import Policy, load_policy
from augsearch.space.policy_ops import PolicyOp
from augsearch.space.space import Space, load_space
from augsearch.store.database import DEFAULT_STORAGE, find_storage, open_storage, owner_lock
from augsearch.store.listing import check_settings, stores_with
from augsearch.store.runs import ABLATION, SUPERVISED, Run, made_again
from augsearch.store.study_store import ABLATIONS, Store
from augsearch.study.command import command_line, handed_over
from augsearch.study.jobs import Job, run_beside
from augsearch.study.records import record_makers, safe_name
from augsearch.study.setup import Setup, check_output, prepare, some_images
from augsearch.study_file import StudyConfig
from augsearch.tracking.mirror import Mirror, quiet_mlflow, tracking_uri
from augsearch.verbs.run import mirror_of, views_painter

FIRST_SEED = 201
"""Replicates of ablations: none that the search, a usual confirmation or certification uses."""
FEWEST_SEEDS = 2
FEWEST_SEEDS_OF_CLASSES = 3
"""With 2, a class that is almost always right makes false claims (benchmarks/moderated.py)."""
LOOKED_AT = 32  # images that an operation must change one of
NOTHING = 0.5 / 255  # a change that no 8-bit pixel shows

SEARCHING = ("--from", "--trials")
"""Options of `run` that `ablate` does not have."""
PHASES: dict[Training, str] = {"simclr": ABLATION, "supervised": SUPERVISED}
Done = dict[tuple[str, str, int], Run]
"""Finished and failed runs by (phase, digest of the policy, replicate)."""


@dataclass(frozen=True)
class Prepared:
    """An ablation that could start: what was asked, resolved and checked.

    Attributes:
        changes: what each operation changes in an image, in a word or two.
        left_out: operations without an effect on these images.
        flags: every option of `ablate` but `--dry-run`, as the user gave it.
    """

    setup: Setup
    plan: Plan
    seeds: tuple[int, ...]
    changes: dict[str, str]
    left_out: tuple[str, ...]
    flags: Mapping[str, Any]

    @property
    def command(self) -> str:
        """The command that repeats this ablation or goes on with it."""
        return command_line("ablate", self.flags)

    @property
    def settings(self) -> dict[str, Any]:
        """What must be the same for a stored ablation to go on, or to lend its cells."""
        return _settings(self.setup)

    def jobs(self) -> list[Job]:
        """Every run once, whatever the number of cells that it serves."""
        found: dict[tuple[Training, str, int], Job] = {}
        for seed in self.seeds:
            for cell in self.plan.cells:
                name = f"{cell.name} [{cell.policy.digest[:6]}]"
                policy = cell.policy.model_dump_json(exclude_none=True)
                found.setdefault(
                    (cell.training, cell.policy.digest, seed),
                    Job(PHASES[cell.training], name, policy, seed),
                )
        return list(found.values())


def ablate(
    space: str | Path | Space, *, progress: Progress | None = None, **asked: Any
) -> Ablation:
    """Train the cells of an ablation, compare them, and write pictures and tables.

    Stopped, it goes on when the same call is made again; cells that exist are not trained again.

    Args:
        space: a space file, the name of a preset, or a Space.
        progress: told what happens.
        asked: see `prepare_ablation`.

    Returns:
        What `<title>.json` holds; `.files` is what was written.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    progress = progress or Quiet()
    prepared = prepare_ablation(space, progress=progress, **asked)
    setup = prepared.setup
    check_output(setup.directory, make=True)
    opened = open_storage(setup.storage)
    try:
        with owner_lock(setup.storage, setup.name):
            store = Store(opened, setup.name, settings=prepared.settings)
            store.asked = {
                "command": prepared.command,
                "in_python": setup.in_python,
                "directory": str(Path.cwd()),
                "space_name": setup.space.name,
                "output": None if setup.output is None else str(setup.output.resolve()),
            }
            if outdated := store.outdated:
                progress.note(made_again(outdated))
            for lender in stores_with(opened, prepared.settings, but=setup.name):
                _take_over(store, lender, prepared.jobs())
            progress.note(in_sentence(_estimate(prepared, _done([store]))))
            return _run(prepared, store, progress)
    except KeyboardInterrupt:
        progress.note("stopped; nothing that was finished is lost. Go on with:")
        progress.note(prepared.command)
        if setup.in_python:
            progress.note(setup.in_python)
        raise
    except StorageInternalError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise StudyError(
            f"--storage {setup.storage}: writing failed ({reason}); finished cells are kept: make "
            "room and run the same command again"
        ) from None


def estimate_ablation(
    space: str | Path | Space, *, progress: Progress | None = None, **asked: Any
) -> AblationEstimate:
    """Check what `ablate` would check and estimate its cost; makes no store and no directory.

    The arguments and errors are those of `ablate`.
    """
    prepared = prepare_ablation(space, progress=progress or Quiet(), **asked)
    setup = prepared.setup
    check_output(setup.directory, make=False)
    opened = find_storage(setup.storage)
    stores = [] if opened is None else list(stores_with(opened, prepared.settings, but=""))
    return _estimate(prepared, _done(stores))


def in_sentence(estimate: AblationEstimate) -> str:
    """What an ablation will take, for people."""
    there = f" ({estimate.done} of them are there)" if estimate.done else ""
    runs = estimate.done + estimate.left
    beside = f", {estimate.processes} at once" if estimate.processes > 1 else ""
    expected = (
        f"expected: about {duration(estimate.seconds + estimate.starting_seconds)}"
        if estimate.left
        else "nothing is left to train"
    )
    return (
        f"ablation {estimate.name}: {estimate.cells} cells, {estimate.seeds} seeds, {runs} runs of "
        f"{estimate.steps} steps on {estimate.device}{there}{beside}; {expected}"
    )


def prepare_ablation(
    space: str | Path | Space,
    *,
    data: str | Path | ImageSet | None = None,
    study: str | Path | StudyConfig | None = None,
    mode: str = "pairs",
    protocol: str | None = None,
    ops: Sequence[str] | None = None,
    policy: str | Path | Policy | None = None,
    op: str | None = None,
    replicates: int = 3,
    seed: int = 0,
    device: str = "auto",
    storage: str = DEFAULT_STORAGE,
    name: str | None = None,
    output: str | Path | None = None,
    subset: int | None = None,
    progress: Progress,
) -> Prepared:
    """Resolve and check everything an ablation needs.

    Args:
        data, study, seed, device, storage, output, subset: as in `run_study`.
        mode: `pairs` (composition matrix), `leave-one-out`, `add-one`, `strength`, `classes`.
        protocol: of `pairs`: `simclr` (the default; operations on one branch, behind a crop on
            both) or `policy` (on both branches).
        ops: operations to look at; None for all that act on these images.
        policy: the policy that operations are taken from or added to; in `pairs`, where strengths
            come from. None for the middle of the space; in `add-one`, for a crop alone.
        op: of `strength`: the operation that is swept.
        replicates: seeds of each cell.
        name: of the ablation's store; None for one made of mode, space, data and what decides the
            cells.

    Raises:
        ConfigError, DataError, DeviceError, StudyError: what is wrong, in one line.
    """
    quiet_mlflow()
    tracking_uri()
    _check_flags(mode, protocol, ops, op, replicates)
    whole = space if isinstance(space, Space) else load_space(space)
    given = load_policy(policy) if isinstance(policy, (str, Path)) else policy
    setup = prepare(
        whole,
        data=data,
        study=study,
        trials=None,
        seed=seed,
        device=device,
        name=name,
        subset=subset,
        storage=storage,
        output=output,
        progress=progress,
        searching=False,
    )
    if not setup.bench.draws and mode == "classes":
        raise DataError(
            f"--mode classes: {setup.source} has too few labels to score a class by; label more, "
            "or use another mode"
        )
    plan, acting, left_out = _plan(setup, whole, given, mode, protocol, ops, op, progress)
    plan = plan.for_channels(setup.image_set.channels)
    settings = _settings(setup)
    if name is None:
        cells = sorted((cell.training, cell.policy.digest) for cell in plan.cells)
        text = json.dumps([settings, plan.title, cells], sort_keys=True)
        tail = hashlib.sha256(text.encode()).hexdigest()[:6]
        # "<space>-<data>-<digest of a search>", of which the last part says nothing here.
        name = f"{mode}-{setup.name.rpartition('-')[0]}-{tail}"
    in_python = handed_over(
        {
            "space": isinstance(space, Space),
            "study": isinstance(study, StudyConfig),
            "images": isinstance(data, ImageSet),
            "policy": isinstance(policy, Policy),
        }
    )
    setup = replace(setup, name=name, in_python=in_python)
    if not isinstance(space, Space):
        setup = replace(setup, space_file=str(space), asked_space=str(space))
    check_settings(storage, name, settings)
    for sentence in setup.warnings:
        progress.warn(sentence)
    flags = {
        **{flag: value for flag, value in setup.flags.items() if flag not in SEARCHING},
        "--mode": mode,
        "--protocol": protocol,
        "--ops": ",".join(ops) if ops is not None else None,
        "--policy": policy if isinstance(policy, (str, Path)) else None,
        "--op": op,
        "--replicates": replicates,
    }
    return Prepared(
        setup=setup,
        plan=plan,
        seeds=tuple(range(FIRST_SEED, FIRST_SEED + replicates)),
        changes={name: changed_by(op) for name, op in acting.items()},
        left_out=tuple(left_out),
        flags=flags,
    )


def _check_flags(
    mode: str,
    protocol: str | None,
    ops: Sequence[str] | None,
    op: str | None,
    replicates: int,
) -> None:
    for flag, value, known in (
        ("mode", mode, get_args(Mode)),
        ("protocol", protocol, get_args(Protocol)),
    ):
        if value is not None and value not in known:
            raise ConfigError(f"--{flag} {value}: is none of {', '.join(known)}")
    if replicates < FEWEST_SEEDS:
        raise ConfigError(
            f"--replicates {replicates}: must be {FEWEST_SEEDS} or more, because one run alone "
            "does not show how far chance goes"
        )
    if mode == "classes" and replicates < FEWEST_SEEDS_OF_CLASSES:
        raise ConfigError(
            f"--replicates {replicates}: --mode classes needs {FEWEST_SEEDS_OF_CLASSES} or more, "
            "because recalls come in grains and two seeds agree too often by chance"
        )
    if protocol is not None and mode != "pairs":
        raise ConfigError(f"--protocol {protocol}: belongs to --mode pairs; leave it out")
    if mode == "strength" and op is None:
        raise ConfigError("--mode strength: name the operation with --op")
    if mode != "strength" and op is not None:
        raise ConfigError(f"--op {op}: belongs to --mode strength; for {mode} use --ops")
    if mode == "strength" and ops is not None:
        raise ConfigError("--ops: --mode strength takes one operation; name it with --op")


def _plan(
    setup: Setup,
    whole: Space,
    given: Policy | None,
    mode: str,
    protocol: str | None,
    names: Sequence[str] | None,
    op: str | None,
    progress: Progress,
) -> tuple[Plan, dict[str, PolicyOp], list[str]]:
    """The plan, the operations that act on these images, and those that do not.

    Operations are those of the whole space, also where these are grey images that it has been cut
    down for: one that is named and idle deserves a note, not a refusal.
    """
    middle = middle_policy(whole)
    anywhere = operations(bound_policy(whole))
    # What does nothing in the middle is taken at its bound, in the space's order.
    own = {name: operations(middle).get(name, most) for name, most in anywhere.items()}
    base = given or middle
    config = setup.config.ablate
    if mode in ("leave-one-out", "classes"):
        owner = f"the policy {base.name!r}"
        own = operations(base)
    else:
        owner = f"the space {whole.name!r}"
    if op is not None:
        check_known("--op", op, own, owner)
    wanted = [op] if op is not None else chosen(own, names, owner)
    if given is not None:
        own |= {name: found for name, found in operations(given).items() if name in own}
    looked_at = {name: own[name] for name in wanted}
    idle = idle_operations(setup.bench, looked_at)
    if idle:
        progress.note(f"no effect on these images, left out: {', '.join(idle)}")
    acting = {name: found for name, found in looked_at.items() if name not in idle}
    if not acting:
        named = f": {', '.join(wanted)} change nothing" if wanted else f"; {owner} has none"
        raise ConfigError(f"no operation acts on these images{named}")
    if mode in ("pairs", "add-one"):
        _note_strengths(list(acting), operations(middle), given, progress)
    order = list(anywhere)
    if mode == "pairs":
        chosen_protocol: Protocol = "policy" if protocol == "policy" else "simclr"
        plan = plan_pairs(acting, chosen_protocol, config.crop_scale_min)
    elif mode == "leave-one-out":
        plan = plan_leave_one_out(base, list(acting), "leave-one-out")
    elif mode == "classes":
        plan = plan_leave_one_out(base, list(acting), "classes")
    elif mode == "add-one":
        plan = plan_add_one(given or setup.baselines["crop only"], acting, order)
    else:
        plan = _strength_plan(setup, whole, base, wanted[0], order, progress)
    return plan, acting, idle


def _note_strengths(
    names: Sequence[str],
    middle: Mapping[str, PolicyOp],
    given: Policy | None,
    progress: Progress,
) -> None:
    """Say of which operations the strength is not the one that was asked for."""
    there = operations(given) if given is not None else middle
    if given is not None and (lacking := [name for name in names if name not in there]):
        progress.note(f"not in the policy, so as in the space: {', '.join(lacking)}")
    if bounds := [name for name in names if name not in there and name not in middle]:
        progress.note(f"no effect in the middle of the space, so at its bound: {', '.join(bounds)}")


def _strength_plan(
    setup: Setup, whole: Space, base: Policy, name: str, order: Sequence[str], progress: Progress
) -> Plan:
    config, evaluate = setup.config.ablate, setup.config.evaluate
    if config.supervised and evaluate.score != "probe":
        raise ConfigError(
            f"ablate.supervised: {evaluate.score} is no accuracy that a supervised classifier "
            "could be held against; leave ablate.supervised or evaluate.score out of the study file"
        )
    if config.supervised and not setup.bench.draws:
        raise DataError(
            f"ablate.supervised: {setup.source} has too few labels for supervised training; "
            "label more, or leave it out of the study file"
        )
    plan = plan_strength(
        base, name, at_bound(whole, name), config.strengths, order, supervised=config.supervised
    )
    shares = {cell.share for cell in plan.cells}
    if same := [f"{share:g}" for share in config.strengths if share not in shares]:
        progress.note(f"the same policy as at a lower strength, left out: {', '.join(same)}")
    return plan


def idle_operations(bench: Bench, ops: dict[str, PolicyOp]) -> list[str]:
    """Those that change none of some images by what an 8-bit pixel shows, even with open gates."""
    images = some_images(bench, LOOKED_AT)
    idle = []
    for name, op in ops.items():
        always = op.model_copy(update={"p": 1.0})
        policy = Policy.model_validate({"view1": (always,), "view2": ()})
        views = [bench.renderer(policy).function(bench.seed, 0)(images, step) for step in range(4)]
        if max(float((changed - clean).abs().max()) for changed, clean in views) < NOTHING:
            idle.append(name)
    return idle


def _settings(setup: Setup) -> dict[str, Any]:
    return {
        "kind": ABLATIONS,
        "study": setup.config.deciding_run(),
        "data": {"name": setup.image_set.name, "digest": setup.image_set.digest},
        "seed": setup.seed,
    }


def _done(stores: Sequence[Store]) -> Done:
    return {
        (run.phase, run.policy.digest, run.replicate): run
        for store in stores
        for run in store.all_runs()
        if run.policy
    }


def _job_key(job: Job) -> tuple[str, str, int]:
    return job.phase, Policy.model_validate_json(job.policy or "").digest, job.replicate


def _take_over(store: Store, lender: Store, jobs: Sequence[Job]) -> None:
    """Copy the runs that this ablation needs and another one has."""
    own, lent = _done([store]), _done([lender])
    for job in jobs:
        key = _job_key(job)
        if key in lent and key not in own:
            store.add_run(lent[key].model_copy(update={"name": job.name}))


def _estimate(prepared: Prepared, done: Done) -> AblationEstimate:
    jobs, bench = prepared.jobs(), prepared.setup.bench
    todo = [job for job in jobs if _job_key(job) not in done]
    processes = processes_for(bench, len(todo))
    return AblationEstimate(
        name=prepared.setup.name,
        cells=len(prepared.plan.cells),
        seeds=len(prepared.seeds),
        done=len(jobs) - len(todo),
        left=len(todo),
        steps=bench.config.pretrain.steps,
        device=str(bench.device),
        processes=processes,
        seconds=makespan(run_seconds(bench, todo), processes) if todo else 0.0,
        starting_seconds=overhead_seconds(len(todo)) if todo else 0.0,
    )


def _run(prepared: Prepared, store: Store, progress: Progress) -> Ablation:
    setup, bench = prepared.setup, prepared.setup.bench
    jobs, done = prepared.jobs(), _done([store])
    todo = [job for job in jobs if _job_key(job) not in done]
    mirror, paint = _mirror(prepared, progress), views_painter(bench)

    def mirror_now() -> None:
        mirror.sync(record_makers(store, paint, setup.executor_of, setup.as_found))

    progress.phase("ablation", len(jobs) - len(todo), len(jobs))
    run_beside(store, bench, todo, progress, after_each=mirror_now)
    mirror_now()
    found = _result(prepared, store)
    store.add_ablation(found.title, found.model_dump(mode="json"))
    files = {**ablation_files(found), **ablation_report_files(store)}
    mirror.amend(
        section=found.title,
        text="\n\n".join(found.sentences),
        metrics={f"row_mean/{safe_name(op)}": mean for op, mean in found.row_means.items()}
        | {f"gain_points/{safe_name(one.op)}": one.gain.points for one in found.op_gains},
        artifacts=files,
        tags={"augsearch.verdict": found.sentences[0]},
    )
    write_files(setup.directory, files)
    return found.written(setup.directory, files)


def _mirror(prepared: Prepared, progress: Progress) -> Mirror:
    mirror = mirror_of(prepared.setup, progress)
    mirror.params = {**mirror.params, "kind": "ablation", "mode": prepared.plan.mode}
    return mirror


def _result(prepared: Prepared, store: Store) -> Ablation:
    setup, plan, done = prepared.setup, prepared.plan, _done([store])
    outcomes: dict[Key, list[Outcome]] = {}
    failures: dict[Key, str] = {}
    for cell in plan.cells:
        runs = [_run_of(cell, seed, done) for seed in prepared.seeds]
        whole = [run.outcome for run in runs if run.outcome]
        if len(whole) == len(runs):
            outcomes[cell.training, cell.name] = whole
        else:
            failures[cell.training, cell.name] = next(r.failure for r in runs if not r.outcome)
    if not outcomes:
        raise StudyError(
            f"no cell of {setup.name!r} trained through ({next(iter(failures.values()))}); lower "
            "pretrain.learning_rate in the study file"
        )
    found = analyse(plan, outcomes, failures, validation_images(setup.bench))
    needed = {_job_key(job) for job in prepared.jobs()}
    return Ablation(
        study=setup.name,
        title=plan.title,
        mode=plan.mode,
        protocol=plan.protocol,
        metric=setup.config.evaluate.measured,
        steps=setup.config.pretrain.steps,
        seeds=prepared.seeds,
        ops=plan.ops,
        cells=found.cells,
        row_means=found.row_means,
        op_gains=found.op_gains,
        class_gains=found.class_gains,
        sentences=in_words(plan, found, prepared.changes),
        left_out=prepared.left_out,
        data=outputs.data_facts(setup),
        seed=setup.seed,
        seconds=sum(
            run.outcome.seconds["total"] for key, run in done.items() if key in needed and
            run.outcome
        ),
        device=str(setup.device),
        versions=versions(),
        command=prepared.command,
    )  # fmt: skip


def _run_of(cell: Cell, seed: int, done: Done) -> Run:
    return done[PHASES[cell.training], cell.policy.digest, seed]
