"""`augsearch compare`: two policies of a study beside each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError, DataError, StudyError
from augsearch.progress import Progress
from augsearch.search.comparison.compared import Compared, compare, draw
from augsearch.search.comparison.named import side_of
from augsearch.search.preview.pages import picture_format, write_pages
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.store.stored import find_study, stored_metric
from augsearch.study.reopen import reopen
from augsearch.study.setup import Setup
from augsearch.watch.watched import watched


def compare_policies(
    study: str,
    first: str,
    second: str,
    *,
    data: str | Path | ImageSet | None = None,
    output: str | Path = "compare.png",
    seed: int = 0,
    storage: str = DEFAULT_STORAGE,
    progress: Progress | bool | None = None,
) -> Compared:
    """Lay two policies of a study beside each other: what differs in them, what they reach, and
    their views of the same images, with the same random numbers.

    Args:
        study: its name; it need not have ended.
        first, second: trials or baselines, as `augsearch studies show` names them: `trial 12` or
            `12`, `SimCLR s=1`.
        data: the images, if they have moved or were not read from files; where they cannot be
            found, there is no picture, and intervals hold for other seeds only.
        output: the picture of the views; its suffix says the format.
        seed: of the views.
        storage: URL of Optuna's database.
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Raises:
        StudyError: no such study, or no such policy in it.
        AugsearchError: `data` is not what the study was run on, or `output` cannot be written.
    """
    path = Path(output)
    form = picture_format(path)
    store = find_study(storage, study)
    if store.kept.is_ablation:
        raise StudyError(f"{study!r} holds ablations, not a search; `augsearch report` shows them")
    one, other = side_of(store, first), side_of(store, second)
    if one.name == other.name:
        raise StudyError(f"{first} and {second} are the same policy; name two")
    with watched(progress) as told:
        setup = _setup(study, storage, data, told)
        found = compare(store.name, stored_metric(store), one, other, setup)
        if setup is None:
            return found
        drawn = draw(one, other, setup, seed)
        return replace(found, preview=replace(drawn, files=write_pages(drawn.pages, path, form)))


def _setup(
    study: str, storage: str, data: str | Path | ImageSet | None, progress: Progress
) -> Setup | None:
    """The study with its images; None without them, if the user did not name them."""
    try:
        return reopen(study, storage=storage, data=data, device="cpu", progress=progress)
    except (DataError, ConfigError, StudyError) as error:
        if data is not None:
            raise
        progress.warn(f"no picture of the views, and intervals for other seeds only: {error}")
        return None
