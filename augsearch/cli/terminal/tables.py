"""Tables on the terminal, in words that need no training in statistics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from augsearch.watch.console import duration
from augsearch.words import interval, percent

if TYPE_CHECKING:
    from augsearch.finetuning.result import Finetuned
    from augsearch.pretraining.result import Pretrained
    from augsearch.search.ablation.result import Ablation
    from augsearch.search.certificate.certificate import Certificate
    from augsearch.search.result.result import StudyResult
    from augsearch.search.triage.answer import Triage

COLOURS = {"good": "green", "level": "blue", "open": "default", "bad": "yellow"}
KINDS = {"candidate": "found here", "baseline": "baseline", "floor": "no training"}


def print_result(result: StudyResult, directory: Path, console: Console) -> None:
    """The end of a study: table, verdict, what to do, where the files are."""
    from augsearch.search.result.next_steps import next_steps
    from augsearch.store.sealed import MANY_USES, sealed_note

    console.print()
    console.print(_confirmed_table(result))
    console.print()
    verdict = result.verdict
    console.print(f"[bold {COLOURS[verdict.tone]}]{verdict.badge}[/]")
    console.print(f"[bold]{escape(verdict.sentence)}[/]")
    console.print(f"Next: {escape(verdict.advice)}")
    for step in next_steps(result):
        console.print(f"  {escape(step.what)}:")
        console.print(f"    {escape(step.command)}", soft_wrap=True)  # to be copied
    console.print(f"[dim]How sure? {escape(verdict.basis)}[/]")
    if result.supervised:
        console.print(escape(result.supervised.sentence))
    if kept := result.kept_classes:
        mark = "[yellow]warning:[/] " if not kept.holds else ""
        console.print(mark + escape(kept.sentence))
    if result.front:
        names = ", ".join(policy.name for policy in result.front)
        console.print(f"no trial beats these in both aims (front.png): {names}")
    if note := sealed_note(result.sealed_split_uses):
        mark = "[yellow]warning:[/] " if result.sealed_split_uses > MANY_USES else ""
        console.print(mark + note)
    console.print()
    console.print(f"policy.yaml, report.html and the rest are in [bold]{escape(str(directory))}[/]")
    console.print("compare the trials: augsearch ui")


def print_triage(found: Triage, directory: Path, console: Console) -> None:
    """What was tried, what was found, the answer and what to do next."""
    from augsearch.report.sections.worth import TRAINED

    table = Table(title="scores on the images of the search, in %", title_justify="left")
    table.add_column("policy", no_wrap=True)
    table.add_column("trained by", no_wrap=True)
    table.add_column("score", justify="right")
    table.add_column("95 % interval", justify="right")
    for way in found.ways:
        table.add_row(
            escape(way.title), TRAINED[way.training], percent(way.score), interval(way.interval)
        )
    console.print()
    console.print(table)
    console.print()
    for sentence in found.findings:
        console.print(escape(sentence))
    console.print()
    console.print(f"[bold]{escape(found.title)}.[/] {escape(found.reason)}")
    console.print(f"next: {escape(found.next)}")
    console.print(f"report.html and baseline.yaml are in [bold]{escape(str(directory))}[/]")


def print_pretrained(found: Pretrained, console: Console) -> None:
    """What the training ended with, and where the encoder is."""
    console.print()
    early = f", stopped early and taken from step {found.taken_from}" if found.stopped_early else ""
    console.print(
        f"[bold]{escape(found.encoder)}[/]: {found.steps} steps of {found.batch_size} images in "
        f"{duration(found.seconds)}{early}"
    )
    last = next((look for look in found.looks if look.step == found.taken_from), None)
    if last and last.probe is not None and last.knn is not None:
        console.print(
            f"on validation images, in %: probe {percent(last.probe)}, nearest neighbours "
            f"{percent(last.knn)} ({found.metric.replace('_', ' ')})"
        )
    weights = found.files.get("model.safetensors")
    if weights is not None:
        console.print(f"its weights and the rest are in [bold]{escape(str(weights.parent))}[/]")
        console.print(f"in a study file: encoder: {{weights: {escape(str(weights))}}}")


def print_finetuned(found: Finetuned, console: Console) -> None:
    """What the classifier is worth: a line for each class, then the rest in words."""
    console.print()
    ways = {"single": "one network", "soup": "the mean of the networks' weights"}
    said = ways.get(found.combined, f"an ensemble of {found.networks} networks")
    total = sum(found.labels.values())
    console.print(
        f"[bold]{escape(found.encoder)}[/], {found.mode}, from {escape(found.start)}; {total} "
        f"labels; {said}"
    )
    if found.views:
        by = ", ".join(f"{name} {percent(score)}" for name, score in found.views.items())
        console.print(
            f"labelled images are seen {escape(found.seen)}; on held-out folds, mean recall in %: "
            f"{escape(by)}"
        )
    if found.held_out:
        each = ", ".join(f"{way} {percent(score)}" for way, score in found.held_out.items())
        console.print(f"on held-out folds, mean recall in %: {each}")
    if found.sealed is not None:
        _print_worth(found, console)
    if found.limit is not None:
        limit = found.limit
        console.print(
            f"threshold {limit.threshold:.4f}: misses {percent(limit.expected)} % of new defects "
            f"on average ({interval((limit.low, limit.high))}), by {limit.defects} that were not "
            "learnt from"
        )
    weights = found.files.get("model.safetensors")
    if weights is not None:
        where = escape(str(weights.parent))
        console.print(
            f"confusion.png, errors.png, answers.csv and the rest are in [bold]{where}[/]"
        )


def _print_worth(found: Finetuned, console: Console) -> None:
    from augsearch.store.sealed import MANY_USES, sealed_note

    sealed = found.sealed
    assert sealed is not None
    table = Table(title=f"on {sealed.images} sealed images, in %", title_justify="left")
    table.add_column("class")
    table.add_column("found", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("images", justify="right")
    table.add_column("labels", justify="right")
    for name, part in sealed.recall.items():
        ends = interval((part.low, part.high))
        labels = str(found.labels[name])
        table.add_row(escape(name), percent(part.value), ends, str(part.of), labels)
    console.print(table)
    right = sealed.accuracy
    console.print(
        f"balanced accuracy {percent(sealed.balanced_accuracy)} %, right {percent(right.value)} % "
        f"({interval((right.low, right.high))}); calibration error "
        f"{percent(sealed.calibration_error_before)} before and "
        f"{percent(sealed.calibration_error)} after"
    )
    if note := sealed_note(sealed.uses):
        console.print(("[yellow]warning:[/] " if sealed.uses > MANY_USES else "") + note)
    for what, share in (
        ("missed defects, by the threshold", sealed.missed),
        ("parts with a missed defect, by the threshold", sealed.missed_parts),
        ("false alarms, by the threshold", sealed.false_alarms),
        ("missed defects where the likeliest class decides", sealed.missed_by_class),
        ("false alarms where the likeliest class decides", sealed.false_alarms_by_class),
    ):
        if share is not None:
            ends = interval((share.low, share.high))
            console.print(f"{what}: {percent(share.value)} % ({ends}) of {share.of}")


def print_certificate(certificate: Certificate, console: Console) -> None:
    """What short runs are worth: a line for each budget, then the finding."""
    table = Table(
        title=f"agreement with runs of {certificate.longest} steps, {certificate.policies} policies"
    )
    table.add_column("steps", justify="right")
    table.add_column("rank correlation", justify="right")
    table.add_column("95 % interval")
    table.add_column("differences to trust, points", justify="right")
    for budget in certificate.budgets:
        low, high = budget.interval
        table.add_row(
            str(budget.steps),
            f"{budget.spearman:.2f}",
            f"{low:.2f} to {high:.2f}",
            f"above {budget.doubt:.1f}",
        )
    console.print()
    console.print(table)
    console.print(
        f"the search's best policy loses {max(0.0, certificate.regret):.1f} points in long runs; "
        f"the best there is {escape(certificate.best)}"
    )
    if certificate.lead_words:
        console.print(certificate.lead_words)
    console.print(f"[bold]{escape(certificate.sentence)}[/]")
    console.print(escape(certificate.advice))


def print_ablation(found: Ablation, directory: Path, console: Console) -> None:
    """The cells of an ablation, best first, then the findings."""
    table = Table(
        title=f"{found.metric.replace('_', ' ')} in %, {len(found.seeds)} seeds of {found.steps} "
        "steps, validation images",
        title_justify="left",
    )
    table.add_column("cell", no_wrap=True)
    table.add_column("mean", justify="right")
    table.add_column("95 % interval", justify="right")
    gains = {one.op: one.gain for one in found.op_gains}
    table.add_column("its operation gains" if gains else "gain in points", justify="right")
    table.add_column("against" if gains else "over", no_wrap=True)
    for cell in sorted(found.cells, key=lambda cell: -(cell.mean or 0.0)):
        low, high = cell.interval or (0.0, 0.0)
        gain = cell.gain or gains.get(cell.op)
        supervised = " (supervised)" if cell.training == "supervised" else ""
        table.add_row(
            escape(cell.name) + supervised,
            f"{100 * cell.mean:.1f}" if cell.mean is not None else "failed",
            f"{100 * low:.1f} to {100 * high:.1f}" if cell.interval else "",
            f"{gain.points:+.1f}{' *' if gain.shown else '  '}" if gain else "",
            escape(gain.against) if gain else "",
        )
    shown = [*gains.values(), *(cell.gain for cell in found.cells if cell.gain)]
    if any(gain.shown for gain in shown):
        table.caption = "* shown to differ (Holm's correction, 5 %)"
    console.print()
    console.print(table)
    console.print()
    for number, sentence in enumerate(found.sentences):
        console.print(f"[bold]{escape(sentence)}[/]" if number == 0 else escape(sentence))
    console.print()
    console.print(f"pictures and tables are in [bold]{escape(str(directory))}[/]")
    console.print("compare the cells: augsearch ui, Views, Ablation cells by score")


def _confirmed_table(result: StudyResult) -> Table:
    counts = [len(policy.confirmed_scores) for policy in result.policies if policy.confirmed_scores]
    seeds = f"{'up to ' if min(counts) < max(counts) else ''}{max(counts)}"
    table = Table(
        title=f"{result.metric.replace('_', ' ')} in %, confirmed with {seeds} fresh seeds on "
        "sealed test images",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    table.add_column("policy", no_wrap=True)
    table.add_column("what it is", no_wrap=True)
    table.add_column("in the search", justify="right", max_width=7)
    table.add_column("confirmed", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    supervised = {p.name: p.mean for p in result.supervised.policies} if result.supervised else {}
    if supervised:
        table.add_column("with labels", justify="right")
    for policy in result.policies:
        chosen = policy.name == result.verdict.recommended
        mean, interval = policy.confirmed_mean, policy.interval
        table.add_row(
            escape(policy.name) + (" *" if chosen else ""),
            KINDS[policy.kind],
            f"{100 * policy.search_score:.1f}" if policy.search_score is not None else "",
            f"{100 * mean:.1f}" if mean is not None else "not confirmed",
            f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}" if interval else "",
            *([percent(supervised.pop(policy.name, None))] if result.supervised else []),
            style="bold" if chosen else None,
        )
    for name, mean in supervised.items():
        table.add_row(escape(name), "", "", "", "", percent(mean))
    images = any(policy.images_interval for policy in result.policies)
    table.caption = "* in policy.yaml; intervals hold for other seeds" + (
        " and other test images" if images else " on these test images"
    )
    return table
