"""`augsearch triage`: is a search worth it on these images, before it is paid for?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Unpack

from augsearch.data.imageset import ImageSet
from augsearch.errors import AugsearchError, ConfigError
from augsearch.files import write_files
from augsearch.progress import Progress, duration
from augsearch.search.begin import held_store
from augsearch.search.estimate import estimate
from augsearch.search.report.collect import Sources
from augsearch.search.report.files import report_files
from augsearch.search.triage.answer import ANSWER_FILE, BASELINE_FILE, Triage, answer
from augsearch.search.triage.findings import read_findings
from augsearch.search.triage.plan import triage_plan
from augsearch.search.triage.train import train
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.store.database import owner_lock, told_when_unwritable
from augsearch.study.mirrored import mirror_of
from augsearch.study.painting import views_painter
from augsearch.study.prepare import probe_sizes
from augsearch.study.request import StudyOptions, StudyRequest
from augsearch.study.setup import Setup, check_output
from augsearch.study.sizes import SizeChoice
from augsearch.verbs.report import stored_result
from augsearch.verbs.run import checked_setup
from augsearch.watch.watched import watched


def triage_study(
    space: str | Path | Space | None = None,
    *,
    progress: Progress | bool | None = None,
    **options: Unpack[StudyOptions],
) -> Triage:
    """Say whether a search is worth it on these images, for about a tenth of its compute.

    Trains the study's baselines and its first trials, and an encoder with labels alone; the study
    goes on from them when `run_study` is called with the same arguments. The sealed images stay
    sealed.

    Args:
        space, options: those of `run_study`.
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Returns:
        The answer with its reason, what to do next, and what it rests on.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    with watched(progress) as told:
        return triage_as_asked(StudyRequest(space, **options), told)


def triage_as_asked(request: StudyRequest, progress: Progress) -> Triage:
    """What `triage_study` does, for a request in one piece."""
    setup = checked_setup(request, progress)
    config = setup.config
    if not setup.bench.draws or config.evaluate.label_free:
        raise ConfigError(
            "triage goes by few-label probes, which evaluate.score "
            f"{config.evaluate.score} has none of; use evaluate.score: probe, or begin the study "
            "itself with few trials"
        )
    with owner_lock(setup.storage, setup.name):
        pass  # before the sizes, which take a while
    check_output(setup.directory, make=True)
    for sentence in setup.warnings:
        progress.warn(sentence)
    plan = triage_plan(config, setup.baselines, setup.always_confirmed)
    progress.note(
        f"triage trains {100 * plan.share:.0f} % of the study's expected steps, in about "
        f"{duration(plan.share * estimate(setup, afresh=True).seconds)}; the study reuses them"
    )
    with told_when_unwritable(setup.storage, "finished runs"):
        try:
            sizes = setup.sizes or _other_sizes(request, setup, progress)
            with held_store(setup) as store:
                engine = setup.engine_telling(progress.note)
                tracker = mirror_of(setup, progress)
                with tracker.kept():
                    train(setup, store, plan, tracker, engine, progress)
                found = answer(setup, read_findings(setup, store, sizes), plan)
                store.kept.triage = found.model_dump(mode="json")
        except KeyboardInterrupt:
            progress.note("stopped; finished work is kept. Run the same command again to continue")
            raise
        except AugsearchError:
            progress.note(f"what is finished is kept in the study {setup.name!r}")
            raise
    result = stored_result(store, setup.directory)
    if result is not None:
        progress.note(f"this study has its verdict already: {result.verdict.sentence}")
    paint = views_painter(setup.bench)
    sources = Sources(store, config, setup.storage, setup, paint, result)
    write_files(
        setup.directory,
        {
            **report_files(sources),
            **_baseline_files(setup, setup.baselines[found.best]),
            ANSWER_FILE: found.model_dump_json(indent=1).encode(),
        },
    )
    return found


def _other_sizes(request: StudyRequest, setup: Setup, progress: Progress) -> SizeChoice | None:
    """What other sizes would show; None where there are no pictures that could be read larger."""
    given = request.data is None or isinstance(request.data, ImageSet)
    if given or setup.config.data.fit == "tile":  # tiles are of one scale, whatever their size
        return None
    progress.note("looking at other image sizes; this takes a few minutes")
    return probe_sizes(request, setup.config, setup.device)


def _baseline_files(setup: Setup, policy: Policy) -> Mapping[str, bytes]:
    """The best baseline, for who does without a search."""
    files = dict(setup.as_found(policy).files())
    files[BASELINE_FILE] = files.pop("policy.yaml")
    return files
