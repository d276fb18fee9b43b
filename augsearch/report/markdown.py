"""The report on one page of Markdown: for a ticket, a mail, a pull request."""

from __future__ import annotations

from augsearch.report import answer, evidence
from augsearch.report.content import CertificateRead, Report, Understanding
from augsearch.words import duration, interval, listed, percent

MOST_ROWS = 10


def markdown_page(report: Report) -> str:
    """The page."""
    head = report.headline
    blocks = [
        f"# {_plain(report.study)}",
        f"**{_plain(head.sentence)}** {_plain(head.advice)}",
        _plain(head.basis),
        _plain(" ".join(head.notes)),
        *(f"> Warning: {_plain(sentence)}" for sentence in head.warnings),
        _table(report),
        *_policy(report),
        *_findings(report),
        f"{_plain(report.data)}. {_total(report)} Written {report.written}.",
        f"```\n{report.reproduce.command}\n```",
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _plain(text: str) -> str:
    """Names may hold what Markdown reads as its own."""
    for mark in "\\`*_|<[":
        text = text.replace(mark, f"\\{mark}")
    return text


def _table(report: Report) -> str:
    rows = [
        f"| {_plain(row.name)}{' ★' if row.chosen else ''} | {answer.KINDS[row.kind]} | "
        f"{percent(row.search)} | {percent(row.mean)} | {interval(row.interval)} |"
        for row in report.policies[:MOST_ROWS]
    ]
    if not rows:
        return ""
    head = "| policy | what it is | in the search | confirmed | 95 % interval |"
    lines = "\n".join([head, "|---|---|---|---|---|", *rows])
    return f"{lines}\n\n{report.metric} in %."


def _policy(report: Report) -> list[str]:
    if report.recipe is None:
        return []
    steps = [
        _plain(f"{number}. {title}: {'; '.join([doc, *lines])}")
        for number, (title, doc, lines) in enumerate(report.recipe.steps, 1)
    ]
    return [f"## The policy ({report.recipe.digest})", "\n".join(steps)]


def _findings(report: Report) -> list[str]:
    lines = [
        answer.class_sentence(report.effects) if report.effects else "",
        *(_understood(report.understanding) if report.understanding else ()),
        certificate.sentence if (certificate := _certificate(report)) else "",
    ]
    blocks = [("What was found", lines), *((e.title, [*e.sentences]) for e in report.extras)]
    found = []
    for title, sentences in blocks:
        told = [f"- {_plain(line)}" for line in sentences if line]
        found += [f"## {_plain(title)}", "\n".join(told)] if told else []
    return found


def _understood(found: Understanding) -> list[str]:
    told = [said for one in found.parameters if (said := evidence.parameter_sentence(one))]
    return [
        *(told or [evidence.weights_sentence(found)]),
        *(evidence.interaction_sentence(i) for i in found.interactions or () if i.shown),
        *(evidence.common_sentence(c) for c in found.common or () if c.shown),
    ]


def _certificate(report: Report) -> CertificateRead | None:
    return report.fidelity.certificate if report.fidelity else None


def _total(report: Report) -> str:
    phases = report.costs.phases
    if not phases:
        return ""
    parts = [f"{name} {duration(seconds)}" for name, (_, seconds) in phases.items()]
    return f"Computing time: {listed(parts)}."
