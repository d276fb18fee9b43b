"""`augsearch ablate`: which operations and which pairs of them help, hurt, and whom.

All scores are of validation images; the sealed ones stay sealed. An ablation has a store of its
own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.files import write_files
from augsearch.progress import Progress
from augsearch.search.ablation.cost import AblationEstimate
from augsearch.search.ablation.estimate import estimate_before
from augsearch.search.ablation.files import ablation_files
from augsearch.search.ablation.prepare import Prepared, prepare_ablation
from augsearch.search.ablation.request import AblationRequest
from augsearch.search.ablation.result import Ablation
from augsearch.search.ablation.train import ablation_store, train_cells
from augsearch.search.report.files import ablation_report_files
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.study.mirrored import mirror_of
from augsearch.study.painting import views_painter
from augsearch.study.records import record_makers, safe_name
from augsearch.study_file import StudyConfig
from augsearch.tracking.mirror import Mirror
from augsearch.tracking.tracker import Page, in_percent
from augsearch.tracking.upkeep import DIGITS_TAG
from augsearch.watch.watched import watched


# The options of `augsearch ablate` are its arguments.
def ablate(
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
    progress: Progress | bool | None = None,
) -> Ablation:
    """Train the cells of an ablation, compare them, and write pictures and tables.

    Interrupted, it resumes when the same call is made again. Cells that exist are kept.

    Args:
        space: a space file, the name of a preset, or a Space.
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
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Returns:
        What `<title>.json` holds; `.files` is what was written.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    request = AblationRequest(
        space=space,
        data=data,
        study=study,
        mode=mode,
        protocol=protocol,
        ops=ops,
        policy=policy,
        op=op,
        replicates=replicates,
        seed=seed,
        device=device,
        storage=storage,
        name=name,
        output=output,
        subset=subset,
    )
    with watched(progress) as told:
        return ablate_as_asked(request, told)


def ablate_as_asked(request: AblationRequest, progress: Progress) -> Ablation:
    """What `ablate` does, for a request in one piece."""
    prepared = prepare_ablation(request, progress)
    setup = prepared.setup
    with ablation_store(prepared, progress) as store:
        mirror, paint = _mirror(prepared, progress), views_painter(setup.bench)

        def mirror_now() -> None:
            mirror.sync(record_makers(store, paint, setup))

        with mirror.kept():
            found = train_cells(prepared, store, progress, after_each=mirror_now)
            files = {**ablation_files(found), **ablation_report_files(store)}
            _amend(mirror, found, files)
        write_files(setup.directory, files)
    return found.written(setup.directory, files)


def estimate_ablation(
    request: AblationRequest, *, progress: Progress | None = None
) -> AblationEstimate:
    """Check what `ablate` would check and estimate its cost; makes no store and no directory."""
    with watched(progress) as told:
        return estimate_before(prepare_ablation(request, told))


def _mirror(prepared: Prepared, progress: Progress) -> Mirror:
    mirror = mirror_of(prepared.setup, progress)
    mirror.params = {**mirror.params, "kind": "ablation", "mode": prepared.plan.mode}
    # Other cells may come under the name of an ablation.
    mirror.tags = {tag: value for tag, value in mirror.tags.items() if tag != DIGITS_TAG}
    return mirror


def _amend(mirror: Mirror, found: Ablation, files: Mapping[str, bytes]) -> None:
    page = Page(
        description="\n\n".join(found.sentences),
        metrics=in_percent(
            {f"row_mean/{safe_name(op)}": mean for op, mean in found.row_means.items()}
        )
        | {f"gain_points/{safe_name(one.op)}": one.gain.points for one in found.op_gains},
        artifacts=files,
        tags={"augsearch.verdict": found.sentences[0]},
    )
    mirror.amend(found.title, page)
