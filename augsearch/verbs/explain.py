"""`augsearch explain`: why a classifier says what it says, and where labels are in doubt."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.engines.processes import cpu_threads
from augsearch.errors import ConfigError, OutputError
from augsearch.explaining.examine import Examined, examine
from augsearch.explaining.outputs import output_files, result_of
from augsearch.explaining.report import headline
from augsearch.explaining.request import ExplainRequest
from augsearch.explaining.result import RESULT_FILE, Explained
from augsearch.explaining.sheets import SHEETS
from augsearch.files import held_directory, write_files
from augsearch.finetuning.classifier import open_classifier, open_images
from augsearch.pretraining.prepare import short_digest
from augsearch.progress import Progress
from augsearch.search.result.result import versions
from augsearch.simclr.device import resolve_device
from augsearch.store.database import (
    DEFAULT_STORAGE,
    storage_flag,
)
from augsearch.study.command import command_line, handed_over
from augsearch.tracking.client import quiet_mlflow
from augsearch.tracking.tracker import in_percent
from augsearch.verbs.looks import count_look
from augsearch.verbs.shown import run_of_classifier
from augsearch.watch.watched import watched
from augsearch.words import counted

FEWEST = 2


# Public, and the one place where its arguments are explained.
def explain(
    directory: str | Path,
    *,
    data: str | Path | ImageSet | None = None,
    images: int = 24,
    seed: int = 0,
    device: str = "auto",
    storage: str = DEFAULT_STORAGE,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | bool | None = None,
) -> Explained:
    """Show what a classifier's decisions on sealed images rest on, and check what is shown.

    Maps by Grad-CAM (occlusion for networks without a layer for it) and by integrated gradients,
    each with a test whether the score rests on what it names; the nearest labelled images; a map of
    the features; the images it is least sure of; labels that may be wrong. Needs the extra
    `explain`.

    Args:
        directory: that `finetune` has ended in.
        data: a folder of images, or an ImageSet; None for those of the classifier.
        images: decisions that are explained, up to half of them wrong ones. The checks rest on so
            many: more make their intervals narrower.
        seed: of the choice of right decisions, and of the places that are covered.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        storage: URL of Optuna's database, which counts the looks at sealed images.
        output: directory; None for `explained` in `directory`.
        force: overwrite an explanation that is there.
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Returns:
        What `explain.json` holds.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    request = ExplainRequest(
        directory,
        data=data,
        images=images,
        seed=seed,
        device=device,
        storage=storage,
        output=output,
        force=force,
    )
    with watched(progress) as told:
        return explain_as_asked(request, told)


def explain_as_asked(request: ExplainRequest, progress: Progress) -> Explained:
    """What `explain` does, for a request in one piece."""
    for package in ("captum", "cleanlab"):
        if importlib.util.find_spec(package) is None:
            raise ConfigError(
                f"explain needs the package {package}, which is not installed: install "
                "augsearch[explain]"
            )
    if request.images < FEWEST:
        raise ConfigError(f"--images {request.images}: must be {FEWEST} or more")
    if request.seed < 0:
        raise ConfigError(f"--seed {request.seed}: must be 0 or more")
    quiet_mlflow()
    device = resolve_device(request.device)
    classifier = open_classifier(request.directory)
    directory = Path(request.output or classifier.directory / "explained")
    _check_free(directory, request.force)
    images = open_images(classifier, request.data, request.storage, progress=progress)
    identity = classifier.found.identity | {
        "explained": short_digest([images.pool.digest, request.images, request.seed])
    }
    with held_directory(directory):
        shown = run_of_classifier(
            "explanation", classifier, images, directory, identity, progress.warn
        )
        with shown.kept(), cpu_threads(classifier.config.compute.threads):
            begin = time.perf_counter()
            examined = examine(classifier, images, request.images, request.seed, device, progress)
            uses = count_look(
                images.sealed, "explanation", directory.name, identity, request.storage
            )
            found = result_of(
                examined,
                name=f"{classifier.directory.name} explained",
                uses=uses,
                identity=identity,
                seconds=time.perf_counter() - begin,
            )
            files = _written(request, examined, found, directory)
            shown.finish(_description(found), _metrics(found), files)
    return found.written(directory, files)


def _written(
    request: ExplainRequest, examined: Examined, found: Explained, directory: Path
) -> dict[str, bytes]:
    files = output_files(examined, found, _command(request, directory), versions(), request.seed)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{directory}: cannot be written ({error.strerror})") from None
    for name in SHEETS:
        if name not in files:
            (directory / name).unlink(missing_ok=True)
    write_files(directory, files)
    return files


def _check_free(directory: Path, force: bool) -> None:
    """Raises ConfigError if there is something that must not be overwritten."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return
    if not (directory / RESULT_FILE).is_file():
        raise ConfigError(
            f"{directory}: is there already and holds no explanation; give another --output"
        )
    if not force:
        raise ConfigError(
            f"{directory}: holds an explanation; give another --output, or --force to replace it"
        )


def _command(request: ExplainRequest, directory: Path) -> str:
    """What does it again."""
    if said := handed_over({"data": isinstance(request.data, ImageSet)}):
        return said
    return command_line(
        f"explain {request.directory}",
        {
            "--data": request.data,
            "--images": request.images,
            "--seed": request.seed or None,
            "--device": None if request.device == "auto" else request.device,
            "--storage": storage_flag(request.storage),
            "--output": str(directory),
        },
    )


def _metrics(found: Explained) -> dict[str, float]:
    """What the run's row in MLflow shows."""
    return {
        "wrong": found.wrong,
        "suspected_labels": len(found.suspects),
        **in_percent(
            {
                f"{name}/{check.method.replace(' ', '_')}": getattr(check, name).value
                for check in found.checks
                for name in ("holds", "learnt", "explains")
            }
        ),
    }


def _description(found: Explained) -> str:
    """The run's page in MLflow, as Markdown."""
    warnings = [f"> Warning: {said}" for check in found.checks for said in check.warnings]
    suspects = f"{counted(len(found.suspects), 'label')} may be wrong."
    return "\n\n".join([headline(found), *warnings, *found.notes, suspects])
