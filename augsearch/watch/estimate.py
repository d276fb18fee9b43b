"""What a study will cost, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from augsearch.progress import duration

if TYPE_CHECKING:
    from augsearch.progress import Estimate


def print_estimate(estimate: Estimate, console: Console) -> None:
    """What a study will cost, before it starts."""
    console.print(
        f"study [bold]{escape(estimate.name)}[/]: {estimate.images} images, {estimate.classes} "
        f"classes, {estimate.image_size} px, {estimate.trials} trials of {estimate.steps} steps on "
        f"{estimate.device}"
    )
    starting = estimate.starting_seconds
    of_them = f" (about {duration(starting)} of them for starting and keeping records)"
    done = sum(phase.done for phase in estimate.phases)
    if done:
        console.print(f"{done} runs are done; what is left:")
    console.print(
        f"expected: about {duration(estimate.seconds + starting)}"
        f"{of_them if starting > estimate.seconds / 10 else ''}, "
        f"{estimate.memory_mb:.0f} MB of memory, {estimate.disk_mb:.0f} MB of disk; an estimate, "
        "which the first runs correct"
    )
    for sentence in filter(None, (estimate.views, *estimate.power, estimate.triage)):
        console.print(escape(sentence))
    for sentence in estimate.warnings:
        console.print(f"[yellow]warning:[/] {escape(sentence)}")
