"""The report's first half: what came out, what the winner does, whom it helps."""

from __future__ import annotations

from collections.abc import Sequence

from augsearch.report import figures
from augsearch.report.content import ClassEffects, Extra, PolicyRow, Report
from augsearch.report.html import (
    bullets,
    code,
    details,
    grid,
    paragraph,
    picture,
    plot,
    section,
    table,
    warning,
)
from augsearch.words import esc, interval, joined, listed, percent, points, value

KINDS = {"candidate": "found here", "baseline": "baseline", "floor": "no training"}


def verdict(report: Report) -> str:
    """The answer, before anything else."""
    head = report.headline
    kind, title = ("finished", "The verdict") if head.finished else ("running", "No verdict yet")
    title = head.title or title
    return joined(
        [
            f'<section id="verdict" class="verdict {kind}">\n<h2>{esc(title)}</h2>',
            f'<p class="sentence">{esc(head.sentence)}</p>',
            paragraph(head.advice, kind="advice"),
            paragraph(head.basis, kind="basis"),
            bullets(head.notes),
            *(warning(sentence) for sentence in head.warnings),
            "</section>",
        ]
    )


def results(report: Report) -> str:
    """Every policy with its interval, as a table and as a picture."""
    if not report.policies:
        return ""
    confirmed = [row for row in report.policies if row.mean is not None]
    rows = [
        (
            row.name + (" ★" if row.chosen else ""),
            percent(row.mean) or "not confirmed",
            interval(row.interval),
            interval(row.seeds_only),
            str(len(row.confirmed) or ""),
            percent(row.search),
            KINDS[row.kind],
        )
        for row in report.policies
    ]
    header = ["policy", "confirmed", "95 % interval", "on these images alone", "seeds"]
    header += ["in the search", "what it is"]
    keep = [i for i in range(len(header)) if i in (0, 5, 6) or any(row[i] for row in rows)]
    if not confirmed:
        keep = [0, 5, 6]
    shown = table(
        f"{report.metric} in %; ★ is in policy.yaml" if confirmed else f"{report.metric} in %",
        [header[i] for i in keep],
        [[row[i] for i in keep] for row in rows],
        text=(0, len(keep) - 1),
        marked=[i for i, row in enumerate(report.policies) if row.chosen],
    )
    drawn = ""
    if confirmed:
        drawn = plot(
            figures.intervals(report.policies, report.metric),
            "Each policy's mean on sealed test images (circle), every fresh seed (ticks), and the "
            f"95 % interval {_reach(confirmed)}. "
            "Differences are surer than the single scores: all were judged on the same images.",
        )
    return section("results", "Results", drawn, shown)


def _reach(confirmed: Sequence[PolicyRow]) -> str:
    if any(row.seeds_only for row in confirmed):
        return (
            "for other seeds and other test images (thin), for other seeds on these alone (thick)"
        )
    return "for other seeds on these test images"


def front(report: Report) -> str:
    """With two aims: what can be had of both."""
    if report.front is None or not report.front.points:
        return ""
    found = report.front
    rows = [
        (p.label, f"{p.y:.1f}", value(p.x))
        for p in sorted(found.points, key=lambda p: -p.y)
        if p.kind == "front"
    ]
    return section(
        "front",
        "Two aims at once",
        paragraph(
            "No trial beats these in both aims: which of them suits you is your choice, not a "
            "matter of statistics. All are trials of one seed each."
        ),
        paragraph(found.note, kind="basis"),
        plot(
            figures.front(found.points, found.x_axis, f"{report.metric}, %"),
            "Every trial in both aims; those that no other one beats in both are joined.",
        ),
        table(
            "On the front, in the search",
            ("policy", f"{report.metric}, %", found.x_axis),
            rows,
        ),
    )


def views(report: Report) -> str:
    """The winner on the team's own images, beside the best baseline."""
    if not report.views and not report.missing:
        return ""
    shown = [
        picture(
            one.png,
            f"Some of the study's images, each with four views that {one.policy} makes of it.",
            one.policy,
        )
        for one in report.views
    ]
    return section(
        "views",
        "What it does to your images",
        paragraph(report.missing, kind="basis"),
        paragraph(
            "The same images and the same random numbers under both policies. Look whether what "
            "tells your classes apart is still to be seen in every view.",
        )
        if shown
        else "",
        grid(shown, "pictures"),
    )


def recipe(report: Report) -> str:
    """The policy in words and as a file."""
    if report.recipe is None:
        return ""
    one = report.recipe
    steps = "".join(
        f"<li><strong>{esc(title)}:</strong> {esc(doc)}{bullets(lines)}</li>"
        for title, doc, lines in one.steps
    )
    return section(
        "policy",
        "The policy",
        paragraph(f"{one.name}, digest {one.digest}. Its operations, in their order:"),
        f'<ol class="recipe">{steps}</ol>' if steps else paragraph("It leaves images as they are."),
        details("policy.yaml", code(one.yaml)),
    )


def classes(report: Report) -> str:
    """Who gains and who loses."""
    effects = report.effects
    if effects is None or not effects.classes:
        return ""
    rows = [
        (
            c.name,
            percent(c.theirs),
            percent(c.ours),
            points(c.difference),
            f"{points(c.low)} to {points(c.high)}"
            if c.low is not None and c.high is not None
            else "",
            c.finding if c.finding != "open" else "",
        )
        for c in sorted(effects.classes, key=lambda c: -c.difference)
    ]
    header = ["class", effects.theirs, effects.ours, "difference", "interval", "finding"]
    few = [] if effects.known else [4, 5]
    keep = [i for i in range(len(header)) if i not in few]
    shown = figures.MOST_CLASSES
    most = (
        f" Of {len(effects.classes)} classes the {shown} that move most are drawn."
        if len(effects.classes) > shown
        else ""
    )
    caption = (
        f"Recall of each class under {effects.ours}, less that under {effects.theirs}. Intervals "
        f"are for other seeds ({effects.seeds} were run), labels and test images of a class, and "
        f"hold for all classes together in 95 % of studies; pale: the interval does not decide."
        f"{most}"
        if effects.known
        else f"Recall of each class under {effects.ours}, less that under {effects.theirs}, over "
        f"{effects.seeds} fresh seeds; how sure that is, is not known.{most}"
        if effects.seeds > 1
        else f"Recall of each class under {effects.ours}, less that under {effects.theirs}: one "
        f"seed of the search, so without intervals.{most}"
    )
    return section(
        "classes",
        "Who gains, who loses",
        paragraph(class_sentence(effects)),
        plot(figures.class_effects(effects), caption),
        details(
            "Recall of every class",
            table(
                "Recall in %, differences in points",
                [header[i] for i in keep],
                [[row[i] for i in keep] for row in rows],
                text=(0, 5),
            ),
        ),
    )


def class_sentence(effects: ClassEffects) -> str:
    """The finding in words."""
    if effects.seeds < 2:
        return "Not confirmed yet: these differences are of a single seed."
    if not effects.known:
        return (
            "Of these differences it is not known what is chance: there is no record of which "
            "images each seed had right."
        )

    def named(finding: str) -> list[str]:
        found = [c for c in effects.classes if c.finding == finding]
        found.sort(key=lambda c: -abs(c.difference))
        return [f"{c.name} ({points(c.difference)} points)" for c in found]

    gains, loses = named("gains"), named("loses")
    against = f"Against {effects.theirs}, "
    if not gains and not loses:
        nothing = f"no class is shown to gain or to lose by {effects.ours}"
        return f"{against}{nothing}: the intervals all hold 0."
    parts = []
    if gains:
        parts.append(f"{effects.ours} helps {listed(gains)}")
    if loses:
        who = "it costs" if gains else f"{effects.ours} costs"
        parts.append(f"{who} {listed(loses)}")
    rest = len(effects.classes) - len(gains) - len(loses)
    tail = f" For the other {rest} the intervals do not decide." if rest else ""
    return f"{against}{', but '.join(parts)}.{tail}"


def extra(one: Extra, number: int) -> str:
    """A section that only some studies have."""
    return section(
        f"extra-{number}",
        one.title,
        paragraph(one.basis, kind="basis"),
        bullets(one.sentences),
        *(picture(png, alt, title, wide=True) for title, png, alt in one.pictures),
        details("All numbers", table(one.title, one.header, one.rows, text=one.text)),
    )
