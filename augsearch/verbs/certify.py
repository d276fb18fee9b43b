"""`augsearch certify`: rerun some of a study's policies for longer, and judge short runs by it.

Scores are like for like: the validation images of the search, never the sealed ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.errors import OutputError
from augsearch.files import write_files
from augsearch.progress import Progress
from augsearch.search.certificate.certificate import Certificate
from augsearch.search.certificate.rerun import certify_runs
from augsearch.search.report.collect import Sources
from augsearch.search.report.files import report_files
from augsearch.store.database import DEFAULT_STORAGE, check_reachable, open_storage, owner_lock
from augsearch.store.runs import made_again
from augsearch.store.study_store import Store
from augsearch.study.mirrored import mirror_of
from augsearch.study.painting import views_painter
from augsearch.study.records import record_makers
from augsearch.study.reopen import reopen
from augsearch.study.request import EngineName
from augsearch.study.setup import Setup, check_output
from augsearch.study_sections import CertifyConfig
from augsearch.tracking.tracker import Page
from augsearch.verbs.report import stored_result
from augsearch.watch.watched import watched

CERTIFICATE = "Certificate"
"""Title of its section in MLflow."""


def certify_study(
    name: str,
    *,
    storage: str = DEFAULT_STORAGE,
    random: int | None = None,
    seeds: int | None = None,
    data: str | Path | ImageSet | None = None,
    device: str = "auto",
    engine: EngineName = "local",
    progress: Progress | bool | None = None,
) -> Certificate:
    """Rerun policies of a finished study for longer, and say how far its short runs can be trusted.

    The section `certify` of the study file says which. Interrupted, it resumes when called again.

    Args:
        name: of the study.
        random, seeds: instead of what the study file says, in later calls as well: trials drawn at
            random, and seeds of the longest runs. More keep the runs that are there.
        storage: URL of Optuna's database.
        data: the images, if they have moved or were not read from files.
        device, engine: as in `run_study`.
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Raises:
        StudyError: no such study, one that is running, or one with too few finished trials.
        ValueError: `random` is negative, or `seeds` below 1.
    """
    with watched(progress) as told:
        if engine == "workers":
            check_reachable(storage)
        setup = reopen(
            name, storage=storage, data=data, device=device, progress=told, engine=engine
        )
        setup = _with_wishes(setup, {"random": random, "seeds": seeds})
        check_output(setup.directory, make=True)
        with owner_lock(storage, setup.name):
            store = Store(open_storage(storage), setup.name, settings=setup.settings)
            store.kept.asked = {**store.kept.asked, "certify": setup.asked["certify"]}
            if outdated := store.outdated:
                told.note(made_again(outdated))
            certificate = certify_runs(setup, store, told)
            _publish(setup, store, certificate, told)
        return certificate


def _with_wishes(setup: Setup, wishes: Mapping[str, int | None]) -> Setup:
    """The setup with these values of `certify`, where one is given."""
    given = {key: value for key, value in wishes.items() if value is not None}
    wanted = CertifyConfig.model_validate({**setup.config.certify.model_dump(), **given})
    return replace(setup, config=setup.config.model_copy(update={"certify": wanted}))


def certificate_page(certificate: Certificate, files: Mapping[str, bytes]) -> Page:
    """What a tracker shows of it, beside the study."""
    trial = certificate.budgets[0]
    return Page(
        description=f"{certificate.sentence} {certificate.advice}",
        metrics={
            "certificate/spearman": trial.spearman,
            "certificate/doubt_points": trial.doubt,
            "certificate/regret_points": certificate.regret,
            "certificate/bias_points": certificate.bias,
        },
        artifacts=files,
        tags={},
    )


def _publish(setup: Setup, store: Store, certificate: Certificate, progress: Progress) -> None:
    """To the study's directory and to MLflow, with the report, which now has the certificate."""
    content = certificate.model_dump(mode="json")
    views = views_painter(setup.bench)
    result = stored_result(store, setup.directory)
    files = {
        "certificate.json": (json.dumps(content, indent=2) + "\n").encode(),
        **report_files(Sources(store, setup.config, setup.storage, setup, views, result)),
    }
    mirror = mirror_of(setup, progress)
    makers = record_makers(store, views, setup)
    page = certificate_page(certificate, files)
    with mirror.kept():
        mirror.sync(makers)
        mirror.amend(CERTIFICATE, page)
    try:
        write_files(setup.directory, files)
    except OutputError as error:
        progress.warn(str(error))
