"""A contact sheet of what a policy does to images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from augsearch.augment.baselines import BASELINES, COLOUR, for_channels
from augsearch.augment.build import Renderer
from augsearch.data.imageset import ImageSet
from augsearch.pictures.contact_sheet import ContactSheet, ViewPairs
from augsearch.search.preview.op_strips import (
    TRIED,
    Titled,
    colour_alone,
    op_strips,
    ops_of_policy,
    ops_of_space,
)
from augsearch.space.handbook.carry_over import carry_over_note
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.space.view_options import Executor
from augsearch.study.painting import Pixels, first_views
from augsearch.words import channels_in_words, listed, without_colour

USUAL_BASELINE = "SimCLR s=1"
ROWS = 8
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
    baseline: Policy = BASELINES[USUAL_BASELINE],
    space: Space | None = None,
    seed: int = 0,
    executor: Executor = "auto",
    kinds: tuple[str, str] = ("policy", "baseline"),
    strips: bool = True,
) -> Preview:
    """Draw images of every class, their views under `policy` and `baseline`, and each operation.

    Both policies draw the same random numbers. Operations are shown alone, from nothing to full
    strength.

    Args:
        space: whose operations are shown alone, at the far ends of what is searched; without it,
            those of the policy.
        kinds: what the two policies are called.
        strips: whether to show operations alone.

    Raises:
        ConfigError: the executor does not know an operation.
        DataError: images of another form than `ImageSet` says.
    """
    rows, channels = _spread(image_set), image_set.channels
    images = torch.from_numpy(np.ascontiguousarray(image_set.images[rows]))
    ops = ops_of_policy(policy) if space is None else ops_of_space(space)
    policies, notes = _compared(policy, baseline, ops, channels, kinds[1])
    renderers = [Renderer.build(for_channels(each, channels), executor) for each in policies]
    views = [first_views(renderer, images, seed) for renderer in renderers]
    names = [each.name for each in policies]
    whose = policy.name if space is None else space.name
    sheet = ContactSheet(
        title=f"{policy.name if strips else listed(names)} on {image_set.name}",
        remark=_remark(image_set, len(policies), seed, notes),
        originals=images.numpy(),
        captions=tuple(
            image_set.classes[label] if label >= 0 else "" for label in image_set.labels[rows]
        ),
        groups=tuple(
            ViewPairs(f"{kind}: {each.name}", pairs)
            for kind, each, pairs in zip(kinds, policies, views, strict=False)
        ),
        strengths_title=f"The operations of {whose}, each alone, from nothing to full strength",
        strengths_remark=STRENGTHS,
        strengths=op_strips(ops, _telling(images), seed=seed, executor=executor) if strips else (),
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


def _spread(image_set: ImageSet) -> list[int]:
    """Rows of up to `ROWS` images that show as many classes as possible."""
    seen: dict[int, int] = {}
    ranked = []
    for row, label in enumerate(image_set.labels.tolist()):
        ranked.append((seen.get(label, 0), row))
        seen[label] = seen.get(label, 0) + 1
    return [row for _, row in sorted(ranked)[:ROWS]]


def _compared(
    policy: Policy, baseline: Policy, ops: Sequence[Titled], channels: int, kind: str
) -> tuple[list[Policy], list[str]]:
    """The policies whose views are shown, and notes on what is not."""
    notes = []
    if channels != COLOUR and (idle := colour_alone(ops)):
        why = without_colour(channels)
        notes.append(f"{why}; left out, as acting on colour: {', '.join(idle)}")
    if for_channels(policy, channels).digest == for_channels(baseline, channels).digest:
        return [policy], [*notes, f"these views are also those of the {kind} {baseline.name}"]
    return [policy, baseline], notes


def _remark(image_set: ImageSet, policies: int, seed: int, notes: Sequence[str]) -> str:
    """One line on how the views came about, then the notes."""
    said = [
        f"{image_set.image_size} px, {channels_in_words(image_set.channels)}",
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
