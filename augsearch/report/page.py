"""The report as one HTML file: opens without a network, prints, and asks nobody for anything."""

from __future__ import annotations

import re
from pathlib import Path

from plotly.offline import get_plotlyjs

from augsearch.report import answer, evidence
from augsearch.report.content import Report
from augsearch.words import esc, joined

HERE = Path(__file__).parent
# What a page may load: nothing. The browser enforces it.
POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)


def html_page(report: Report) -> str:
    """The whole file."""
    body = joined(
        [
            answer.verdict(report),
            answer.results(report),
            answer.front(report),
            answer.views(report),
            answer.recipe(report),
            answer.classes(report),
            *(answer.extra(one, number) for number, one in enumerate(report.extras, 1)),
            evidence.understanding(report),
            evidence.history(report),
            evidence.fidelity(report),
            evidence.costs(report),
            evidence.reproduce(report),
        ]
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="generator" content="augsearch">
<title>{esc(report.study)}: augsearch report</title>
<link rel="icon" href="data:,">
<style>
{_text("style.css")}</style>
</head>
<body>
<header>
<p class="product">augsearch report</p>
<h1>{esc(report.study)}</h1>
<p class="data">{esc(report.data)}. Written {esc(report.written)}.</p>
</header>
{_contents(body)}
<main>
{body}
</main>
<noscript><p class="warning">The figures need JavaScript, which is switched off here. Their
numbers are in the tables and in trials.csv.</p></noscript>
<script>{get_plotlyjs()}</script>
<script>
{_text("draw.js")}</script>
</body>
</html>
"""


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _contents(body: str) -> str:
    """Links to the sections that there are."""
    found = re.findall(r'<section id="([^"]+)"[^>]*>\n<h2>([^<]*)</h2>', body)
    links = "".join(f'<li><a href="#{anchor}">{title}</a></li>' for anchor, title in found)
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>'
