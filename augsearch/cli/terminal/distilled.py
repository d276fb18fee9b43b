"""What `distill` prints: teacher and student beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from augsearch.words import interval, percent

if TYPE_CHECKING:
    from augsearch.distilling.result import Distilled, Network


def print_distilled(found: Distilled, console: Console) -> None:
    """A line for each of the two, then what is lost and where the files are."""
    console.print()
    table = Table()
    table.add_column("")
    table.add_column("network")
    table.add_column("parameters", justify="right")
    table.add_column("right, %", justify="right")
    for name, network in (("teacher", found.teacher), ("student", found.student)):
        times = f"{network.networks} × " if network.networks > 1 else ""
        table.add_row(
            name, escape(times + network.encoder), f"{network.parameters:,}", _right(network)
        )
    console.print(table)
    begun = f"{found.smaller:.1f} times smaller"
    if found.alike is not None:
        console.print(
            f"{begun}; it learnt from {found.images} images of the pool without labels. Of "
            f"{found.apart} others it guesses {percent(found.alike)} % as its teacher does"
        )
    else:
        what = "the features of " if found.learnt == "features" else "from "
        console.print(f"{begun}; it learnt {what}{found.images} images without labels")
    if found.loss is not None:
        worst = max(found.loss_by_class, key=lambda name: found.loss_by_class[name].high)
        loss = found.loss_by_class[worst]
        under = " under a linear classifier" if found.learnt == "features" else ""
        console.print(
            f"of {found.loss.of} sealed pictures it loses{under} {percent(found.loss.value)} "
            f"points, at most {percent(found.loss.high)} (95 %); of class {escape(worst)} "
            f"{percent(loss.value)}, at most {percent(loss.high)}"
        )
    error, plain = found.calibration_error, found.calibration_error_before
    if error is not None and plain is not None:
        worse = "" if error <= plain else ": its teacher's confidence does not fit it"
        console.print(
            f"calibration error {percent(error)} points at its temperature, {percent(plain)} "
            f"without{worse}"
        )
    if manifest := found.files.get("distill.json"):
        kind = "classifier" if found.learnt == "answers" else "encoder"
        console.print(f"the {kind} is in [bold]{escape(str(manifest.parent))}[/]")


def _right(network: Network) -> str:
    share = network.accuracy
    if share is None:
        return "–"
    return f"{percent(share.value)} ({interval((share.low, share.high))})"
