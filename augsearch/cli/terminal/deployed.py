"""What `deploy` prints: the forms of a classifier, their size, speed and loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from augsearch.words import percent

if TYPE_CHECKING:
    from augsearch.deploying.result import Deployed, Format, Speed
    from augsearch.finetuning.result import Loss

KILO = 1000
CALLED = {
    "onnx": "ONNX, 32 bits",
    "fp16": "ONNX, 16 bits",
    "int8": "ONNX, 8 bits",
    "openvino": "OpenVINO",
    "torch": "torch.export",
}


def print_deployed(found: Deployed, console: Console) -> None:
    """A line for each form, then what was checked and where the files are."""
    from augsearch.store.sealed import MANY_USES, sealed_note

    console.print()
    height, width, _ = found.picture
    table = Table(
        title=f"one picture of {width} × {height} pixels at a time, {escape(found.machine)}",
        title_justify="left",
    )
    table.add_column("form", no_wrap=True)
    for name in ("MB", "1 core, ms", f"{found.cores} cores, ms", "changed", "points lost"):
        table.add_column(name, justify="right")
    table.add_column("points lost in the worst class", overflow="fold")
    for one in found.formats:
        refused = " [red]✗[/]" if one.refused else ""
        table.add_row(
            CALLED[one.name] + refused,
            f"{one.bytes / KILO**2:.2f}",
            _speed(one.one_core),
            _speed(one.all_cores),
            "–" if one.changed is None else str(one.changed),
            _loss(one.loss),
            _worst(one),
        )
    console.print(table)
    if any(one.refused for one in found.formats):
        console.print("[red]✗[/] refused: it may lose too much, and was not written")
    judged = sum(found.judged.values())
    console.print(
        f"ms: median, then 95th percentile. Changed, of {judged} pictures that it did not learn "
        "from: decisions that are not those of the network in torch. Points lost: of right "
        "decisions, and what they may be at the most (95 %)"
    )
    checked = found.checked
    console.print(
        f"{checked.pictures} {checked.side} pictures as their files hold them: ONNX Runtime and "
        f"torch decide alike on all; {checked.as_finetuned} otherwise than at fine-tuning"
    )
    if note := sealed_note(found.uses):
        console.print(("[yellow]warning:[/] " if found.uses > MANY_USES else "") + note)
    console.print(f"licence of the weights: {escape(found.licence)}")
    if manifest := found.files.get("deploy.json"):
        console.print(f"the files and deploy.json are in [bold]{escape(str(manifest.parent))}[/]")


def _speed(speed: Speed | None) -> str:
    return "–" if speed is None else f"{speed.p50:.1f}, {speed.p95:.1f}"


def _loss(loss: Loss | None) -> str:
    return "–" if loss is None else f"{percent(loss.value)}, ≤ {percent(loss.high)}"


def _worst(form: Format) -> str:
    if not form.loss_by_class:
        return "–"
    name = max(form.loss_by_class, key=lambda one: form.loss_by_class[one].high)
    return f"{escape(name)}: {_loss(form.loss_by_class[name])}"
