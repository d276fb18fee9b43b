"""`augsearch run`: search a space on a team's images, confirm, and write the winner."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from augsearch.data.imageset import ImageSet
from augsearch.errors import AugsearchError
from augsearch.progress import Estimate, Progress
from augsearch.search.estimate import estimate
from augsearch.search.result.result import StudyResult
from augsearch.search.search_study import search_study
from augsearch.space.space import Space
from augsearch.store.database import (
    DEFAULT_STORAGE,
    check_reachable,
    owner_lock,
    told_when_unwritable,
)
from augsearch.store.listing import check_settings
from augsearch.study.mirrored import mirror_of
from augsearch.study.naming import briefly_named
from augsearch.study.origin import compared, find_origin
from augsearch.study.prepare import prepare
from augsearch.study.request import EngineName, StudyOptions, StudyRequest
from augsearch.study.setup import Setup, check_output
from augsearch.study_file import StudyConfig
from augsearch.tracking.client import quiet_mlflow, tracking_uri
from augsearch.watch.watched import watched


# Public, and the one place where a study's arguments are listed and explained.
def run_study(
    space: str | Path | Space | None = None,
    *,
    data: str | Path | ImageSet | None = None,
    from_study: str | None = None,
    study: str | Path | StudyConfig | None = None,
    trials: int | None = None,
    seed: int = 0,
    device: str = "auto",
    storage: str = DEFAULT_STORAGE,
    name: str | None = None,
    output: str | Path | None = None,
    subset: int | None = None,
    engine: EngineName = "local",
    progress: Progress | bool | None = None,
) -> StudyResult:
    """Search for a policy on your images, confirm the best ones with fresh seeds, write the winner.

    An interrupted study resumes when the same call is made again.

    Args:
        space: a space file, the name of a preset, or a Space; None for that of `from_study`.
        data: a folder of images, or an ImageSet; None for the embedded inspection surfaces.
        from_study: name of a finished study on other images (new ones of the same line, another
            plant). Its winner becomes a further baseline, its trials the sampler's prior, and it
            is said how the images differ.
        study: a study file, the name of a preset, or a StudyConfig; None for that of `from_study`,
            else `quick` without data and `standard` with data.
        trials: trials to finish; None for what the study file says.
        seed: of the whole study; the same seed gives the same scores on a CPU of the same kind.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        storage: URL of Optuna's database.
        name: of the study; None for one made of space, data and settings.
        output: directory for the results; None for `runs/<name>`.
        subset: use a stratified part of that many images.
        engine: what trains: `local`, this machine; `workers`, whatever `augsearch worker` runs on,
            which needs a database on a server; `ray`, a Ray cluster.
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Returns:
        What `result.json` holds; `.policy` is the recommended one, `.files` is what was written.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    request = StudyRequest(
        space,
        data=data,
        from_study=from_study,
        study=study,
        trials=trials,
        seed=seed,
        device=device,
        storage=storage,
        name=name,
        output=output,
        subset=subset,
        engine=engine,
    )
    with watched(progress) as told:
        return run_as_asked(request, told)


def run_as_asked(request: StudyRequest, progress: Progress) -> StudyResult:
    """What `run_study` does, for a request in one piece."""
    setup = checked_setup(request, progress)
    with owner_lock(setup.storage, setup.name):
        pass  # before the estimate, which takes a while
    check_output(setup.directory, make=True)
    progress.estimated(estimate(setup))
    return _run(setup, progress)


def estimate_study(
    space: str | Path | Space | None = None,
    *,
    progress: Progress | bool | None = None,
    **options: Unpack[StudyOptions],
) -> Estimate:
    """Check what `run_study` would check, and estimate its cost; makes no study and no directory.

    The arguments and errors are those of `run_study`.
    """
    with watched(progress) as told:
        return estimate_as_asked(StudyRequest(space, **options), told)


def estimate_as_asked(request: StudyRequest, progress: Progress) -> Estimate:
    """What `estimate_study` does, for a request in one piece."""
    setup = checked_setup(request, progress)
    check_output(setup.directory, make=False)
    return estimate(setup)


def checked_setup(request: StudyRequest, progress: Progress) -> Setup:
    """A study that could start now: an unusable store should stop it before hours of work."""
    quiet_mlflow()
    tracking_uri()
    origin = (
        find_origin(request.storage, request.from_study) if request.from_study is not None else None
    )
    if request.engine == "workers":
        check_reachable(request.storage)
    setup = prepare(request, progress=progress, origin=origin)
    if request.name is None:
        setup = briefly_named(setup, setup.settings, progress)
    check_settings(request.storage, setup.name, setup.settings)
    if origin is not None:
        progress.note(f"compared with {origin.study}: {compared(origin, setup.bench)}")
        if origin.weights != setup.start_facts.get("weights"):
            progress.note(
                f"the encoder starts from other weights than in {origin.study}, or from a file "
                "that has changed; scores of the old trials may rank policies differently"
            )
    return setup


def _run(setup: Setup, progress: Progress) -> StudyResult:
    tracker = mirror_of(setup, progress)
    with told_when_unwritable(setup.storage, "finished trials"):
        try:
            engine = setup.engine_telling(progress.note)
            with tracker.kept():
                return search_study(setup, tracker=tracker, engine=engine, progress=progress)
        except KeyboardInterrupt:
            progress.note("stopped; finished work is kept. Continue with:")
            progress.note(setup.command())
            if setup.in_python:
                progress.note(setup.in_python)
            raise
        except AugsearchError:
            progress.note(f"what is finished is kept in the study {setup.name!r}")
            raise
