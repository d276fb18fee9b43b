"""A contact sheet of what policies do to a team's own images: look before you train."""

from __future__ import annotations

import difflib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from pydantic import ValidationError

from augsearch.augment.baselines import BASELINES, for_channels
from augsearch.augment.build import Renderer
from augsearch.data.cache import load_images
from augsearch.data.config import DataConfig
from augsearch.data.imageset import ImageSet
from augsearch.data.surfaces import SurfaceSpec, draw_surfaces
from augsearch.errors import ConfigError, OutputError, StudyError
from augsearch.files import write_whole
from augsearch.pictures.contact_sheet import ContactSheet, ViewPairs
from augsearch.pictures.figures import views_png
from augsearch.progress import Progress, Quiet
from augsearch.search.preview.op_strips import (
    TRIED,
    Pixels,
    Titled,
    colour_alone,
    op_strips,
    ops_of_policy,
    ops_of_space,
    pair_of_views,
)
from augsearch.space.carry_over import carry_over_note
from augsearch.space.points import middle_policy
from augsearch.space.policy import Policy, load_policy
from augsearch.space.space import Space, load_space
from augsearch.space.view_options import Executor
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.store.stored import find_study, stored_config
from augsearch.study.setup import EMBEDDED
from augsearch.study_file import StudyConfig

ROWS = 8
PAIRS = 2
SMALLEST, LARGEST = 8, 1024
IMAGE_SIZE = 96
BASELINE = "SimCLR s=1"
THUMBNAILS = 2
"""Images that are also handed over for a terminal."""
STRENGTHS = (
    "One image with all gates open, the same draw in every column: of "
    f"{2 * TRIED}, the one that shows most. A value is the most that a draw can do; training draws "
    "anything from nothing up to it."
)


@dataclass(frozen=True)
class Preview:
    """Pictures of a policy at work.

    Attributes:
        pages: the contact sheet as PNG files, nearly always one.
        caption: what `rows` show, in one line.
        rows: a few images, each followed by two views under every policy; `[C, H, W]` uint8.
        notes: what is worth knowing, a sentence each.
        files: where the pages were written.
    """

    pages: tuple[bytes, ...]
    caption: str
    rows: tuple[tuple[Pixels, ...], ...]
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


def preview(
    policy: Policy,
    image_set: ImageSet,
    *,
    baseline: Policy = BASELINES[BASELINE],
    space: Space | None = None,
    seed: int = 0,
    executor: Executor = "auto",
) -> Preview:
    """Images of every class in turn with their views under `policy` and under `baseline`, which
    draw the same random numbers; then each operation alone, from nothing to full strength.

    Args:
        space: whose operations are shown alone, at the far ends of what is searched; without it,
            those of the policy.

    Raises:
        ConfigError: the executor does not know an operation.
        DataError: images of another form than `ImageSet` says.
    """
    rows, channels = _spread(image_set), image_set.channels
    images = torch.from_numpy(np.ascontiguousarray(image_set.images[rows]))
    ops = ops_of_policy(policy) if space is None else ops_of_space(space)
    policies, notes = _compared(policy, baseline, ops, channels)
    renderers = [Renderer.build(for_channels(each, channels), executor) for each in policies]
    views = [_views(renderer, images, seed) for renderer in renderers]
    names = [each.name for each in policies]
    whose = policy.name if space is None else space.name
    sheet = ContactSheet(
        title=f"{policy.name} on {image_set.name}",
        remark=_remark(image_set, len(policies), seed, notes),
        originals=images.numpy(),
        captions=tuple(
            image_set.classes[label] if label >= 0 else "" for label in image_set.labels[rows]
        ),
        groups=tuple(
            ViewPairs(f"{kind}: {each.name}", pairs)
            for kind, each, pairs in zip(("policy", "baseline"), policies, views, strict=False)
        ),
        strengths_title=f"The operations of {whose}, each alone, from nothing to full strength",
        strengths_remark=STRENGTHS,
        strengths=op_strips(ops, _telling(images), seed=seed, executor=executor),
        footnote=f"rendered by: {renderers[0].executor}",
    )
    return Preview(
        pages=sheet.pages(),
        caption=f"original, two views by {' and two by '.join(names)}",
        rows=tuple(
            (image.numpy(), *(view[row] for pairs in views for view in pairs[:2]))
            for row, image in enumerate(images[:THUMBNAILS])
        ),
        notes=tuple(filter(None, [*notes, carry_over_note(policy, image_set.image_size)])),
    )


def draw_views(renderer: Renderer, images: torch.Tensor, seed: int) -> bytes:
    """A PNG of uint8 images `[N, C, H, W]`, each with four views, and of who rendered them."""
    return views_png(
        images.cpu().numpy(),
        _views(renderer, images, seed),
        ["original", *("view 1", "view 2") * PAIRS],
        footnote=f"rendered by: {renderer.executor}",
    )


def _views(renderer: Renderer, images: torch.Tensor, seed: int) -> tuple[Pixels, ...]:
    """The views of the first steps, view 1 and view 2 in turn, each `[N, C, S, S]`."""
    pairs = (pair_of_views(renderer, images, seed=seed, step=step) for step in range(PAIRS))
    return tuple(view for pair in pairs for view in pair)


def _spread(image_set: ImageSet) -> list[int]:
    """Rows of up to `ROWS` images that show as many classes as possible."""
    seen: dict[int, int] = {}
    ranked = []
    for row, label in enumerate(image_set.labels.tolist()):
        ranked.append((seen.get(label, 0), row))
        seen[label] = seen.get(label, 0) + 1
    return [row for _, row in sorted(ranked)[:ROWS]]


def _compared(
    policy: Policy, baseline: Policy, ops: Sequence[Titled], channels: int
) -> tuple[list[Policy], list[str]]:
    """The policies whose views are shown, and notes on what is not."""
    notes = []
    if channels == 1 and (idle := colour_alone(ops)):
        notes.append(f"the images are grey; left out, as acting on colour: {', '.join(idle)}")
    if for_channels(policy, channels).digest == for_channels(baseline, channels).digest:
        return [policy], [*notes, f"these views are also those of the baseline {baseline.name}"]
    return [policy, baseline], notes


def _remark(image_set: ImageSet, policies: int, seed: int, notes: Sequence[str]) -> str:
    """One line on how the views came about, then the notes."""
    said = [
        f"{image_set.image_size} px, {'grey' if image_set.channels == 1 else 'colour'}",
        "pairs of views as training compares them",
        *(["the same random numbers for both policies"] if policies > 1 else []),
        f"seed {seed}",
    ]
    return "\n".join([" · ".join(said), *notes])


def _telling(images: torch.Tensor) -> torch.Tensor:
    """`[1, C, S, S]`: the image with the most contrast and colour, on which operations show."""
    pixels = images.float()
    contrast = pixels.mean(dim=1).std(dim=(1, 2))
    colour = (pixels.amax(dim=1) - pixels.amin(dim=1)).mean(dim=(1, 2))
    return images[[int((contrast + colour).argmax())]]


def write_preview(
    policy: str | Path | Policy | None = None,
    data: str | Path | None = None,
    output: str | Path = "preview.png",
    *,
    image_size: int | None = None,
    seed: int = 0,
    space: str | Path | Space | None = None,
    study: str | None = None,
    baseline: str | None = None,
    storage: str = DEFAULT_STORAGE,
    progress: Progress | None = None,
) -> Preview:
    """Draw what a policy does to some images into a picture file; see `preview`.

    Args:
        policy: to show; without it, that of `study` or the middle of `space`.
        data: the images; None for those of `study`, else for embedded ones.
        output: its suffix says the format, any that Pillow writes; without one it is a PNG. Should
            the sheet need more pages, they lie beside it as `-2`, `-3` and so on.
        image_size: side in pixels; None for that of `study`, else 96.
        space: whose operations are shown alone, instead of the policy's.
        study: name of a finished study: its winner on its own images.
        baseline: name of the published policy to compare with; None for the best one in the
            confirmation of `study`, else SimCLR s=1.
        storage: URL of the database that holds `study`.
        progress: told what happens.

    Raises:
        ConfigError, DataError, StudyError, OutputError: what is wrong, in one line.
    """
    progress = progress or Quiet()
    if image_size is not None and not SMALLEST <= image_size <= LARGEST:
        raise ConfigError(
            f"--image-size {image_size}: must be between {SMALLEST} and {LARGEST} pixels"
        )
    path = Path(output)
    form = _format(path)
    against = _baseline(baseline or BASELINE)
    if space is not None and not isinstance(space, Space):
        space = load_space(space)
    config = DataConfig(image_size=image_size or IMAGE_SIZE)
    executor: Executor = "auto"
    if study is not None:
        if policy is not None or space is not None:
            raise ConfigError(
                f"the study {study!r} has a policy of its own; leave out --policy and --space, or "
                "the study's name"
            )
        chosen, settings, data, best = _finished(study, storage, data)
        if baseline is None and best in BASELINES:
            against = BASELINES[best]
        executor = settings.compute.executor
        size = image_size or settings.data.image_size
        config = settings.data.model_copy(update={"image_size": size})
    elif policy is not None:
        chosen = policy if isinstance(policy, Policy) else load_policy(policy)
    elif space is not None:
        chosen = middle_policy(space)
    else:
        raise ConfigError("name what to show: a finished study, --policy FILE or --space SPACE")
    if data is None:
        image_set = draw_surfaces(SurfaceSpec(image_size=config.image_size, images_per_class=2))
    else:
        image_set = load_images(Path(data), config, progress=progress.images)
        for sentence in image_set.notes:
            progress.note(sentence)
    found = preview(chosen, image_set, baseline=against, space=space, seed=seed, executor=executor)
    for sentence in found.notes:
        progress.note(sentence)
    return replace(found, files=_write(found.pages, path, form))


def _baseline(name: str) -> Policy:
    """The published policy of that name, in whatever case.

    Raises:
        ConfigError: there is none.
    """
    known = {known.casefold(): policy for known, policy in BASELINES.items()}
    if name.casefold() in known:
        return known[name.casefold()]
    close = difflib.get_close_matches(name.casefold(), known, n=1)
    hint = f"did you mean {known[close[0]].name!r}? " if close else ""
    there = ", ".join(repr(each) for each in BASELINES)
    raise ConfigError(f"--baseline {name}: there is no such baseline; {hint}there are: {there}")


def _finished(
    name: str, storage: str, data: str | Path | None
) -> tuple[Policy, StudyConfig, str | Path | None, str]:
    """Winner and settings of a study, its images unless `data` names others (None: embedded), and
    the name of the baseline that did best in its confirmation.

    Raises:
        StudyError: no such study, one without a verdict, or its images have moved.
    """
    store = find_study(storage, name)
    if store.is_ablation:
        raise StudyError(f"{name!r} holds ablations, not a search, and so has no winner to show")
    winner = store.winner
    if winner is None:
        raise StudyError(
            f"the study {name!r} has no verdict yet; let `augsearch run` finish it, or name a "
            "--policy or a --space"
        )
    try:
        config, source = stored_config(store), str(store.asked["data"])
    except (ValidationError, KeyError):
        raise StudyError(
            f"the study {name!r} was made by another version of augsearch; name its policy.yaml "
            "with --policy"
        ) from None
    if data is None and source != EMBEDDED:
        if not Path(source).exists():
            raise StudyError(
                f"the images of the study {name!r} are not at {source} any more; name them with "
                "--data"
            )
        data = source
    baselines = (p for p in store.result.get("policies", ()) if p["kind"] == "baseline")
    best = max(baselines, key=lambda p: p["confirmed_mean"] or 0.0, default={"name": ""})
    return winner, config, data, str(best["name"])


def _write(pages: Sequence[bytes], path: Path, form: str) -> tuple[Path, ...]:
    files = [path]
    files += [path.with_stem(f"{path.stem}-{number}") for number in range(2, len(pages) + 1)]
    for page, file in zip(pages, files, strict=True):
        try:
            write_whole(file, page if form == "PNG" else _converted(page, form))
        except (OSError, ValueError, KeyError) as error:  # Pillow's writers raise any of them
            reason = (error.strerror if isinstance(error, OSError) else None) or error
            raise OutputError(f"--output {file}: cannot be written ({reason})") from None
    return tuple(files)


def _format(path: Path) -> str:
    """Pillow's name of the format that the suffix of `path` says.

    Raises:
        OutputError: Pillow writes no such format.
    """
    if not path.suffix:
        return "PNG"
    form = Image.registered_extensions().get(path.suffix.lower(), "")
    if form not in Image.SAVE:
        raise OutputError(
            f"--output {path}: {path.suffix} is no picture format that can be written; use .png, "
            ".jpg, .webp, .tif or .pdf"
        )
    return form


def _converted(png: bytes, form: str) -> bytes:
    with Image.open(io.BytesIO(png)) as picture, io.BytesIO() as file:
        picture.save(file, form, quality=95)
        return file.getvalue()
