"""The report on one page of Markdown: for a ticket, a mail, a pull request."""

from __future__ import annotations

from augsearch.report.content import Report
from augsearch.report.sections.cost import Costs
from augsearch.report.sections.extra import Extra
from augsearch.report.sections.policy import Recipe
from augsearch.report.sections.reproduce import Reproduce
from augsearch.report.sections.results import KINDS, Results
from augsearch.report.sections.verdict import Headline
from augsearch.words import interval, percent

MOST_ROWS = 10


def markdown_page(report: Report) -> str:
    """The page."""
    head = report.headline
    costs, reproduce = report.section(Costs), report.section(Reproduce)
    total = costs.total if costs else ""
    blocks = [
        f"# {_plain(report.title)}",
        *_answer(head),
        f"Next: {_plain(head.advice)}" if head.advice else "",
        "\n".join(f"- {_plain(what)}: `{command}`" for what, command in head.steps),
        f"How sure? {_plain(head.basis)}",
        _plain(" ".join(head.notes)),
        *(f"> Warning: {_plain(sentence)}" for sentence in head.warnings),
        _table(report),
        *_policy(report),
        *_findings(report),
        f"{_plain(report.data)}. {total} {_plain(report.study)}, written {report.written}.",
        f"```\n{reproduce.command}\n```" if reproduce else "",
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _answer(head: Headline) -> list[str]:
    badge = f"{head.badge}: " if head.badge else ""
    first, *others = head.sentence.splitlines()
    return [f"**{_plain(sentence)}**" for sentence in (badge + first, *others)]


def _plain(text: str) -> str:
    """Names may hold what Markdown reads as its own."""
    for mark in "\\`*_|<[":
        text = text.replace(mark, f"\\{mark}")
    return text


def _table(report: Report) -> str:
    results = report.section(Results)
    if results is None or not results.policies:
        return ""
    rows = [
        f"| {_plain(row.title)} | {KINDS[row.kind]} | "
        f"{percent(row.search)} | {percent(row.mean)} | {interval(row.interval)} |"
        for row in results.policies[:MOST_ROWS]
    ]
    head = "| policy | what it is | in the search | confirmed | 95 % interval |"
    lines = "\n".join([head, "|---|---|---|---|---|", *rows])
    return f"{lines}\n\n{report.metric} in %."


def _policy(report: Report) -> list[str]:
    recipe = report.section(Recipe)
    if recipe is None:
        return []
    steps = [
        _plain(f"{number}. {title}: {'; '.join([doc, *lines])}")
        for number, (title, doc, lines) in enumerate(recipe.steps, 1)
    ]
    return [f"## The policy ({recipe.digest})", "\n".join(steps)]


def _findings(report: Report) -> list[str]:
    """Sections of their own come with their titles, what the others found before them together."""
    extras = [one for one in report.sections if isinstance(one, Extra)]
    others = [one for one in report.sections if not isinstance(one, Extra)]
    blocks = [
        ("What was found", [sentence for one in others for sentence in one.findings]),
        *((one.title, one.findings) for one in extras),
    ]
    found = []
    for title, sentences in blocks:
        told = [f"- {_plain(line)}" for line in sentences if line]
        found += [f"## {_plain(title)}", "\n".join(told)] if told else []
    return found
