"""The report as one HTML file: opens without a network, prints, and asks nobody for anything."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from augsearch.report import figures
from augsearch.report.content import Report
from augsearch.words import counted, probability

HERE = Path(__file__).parent


def html_page(report: Report) -> str:
    """The whole file."""
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            sections=[section for section in report.sections if section.shown],
            figures=figures,
            style=_text("style.css"),
            draw=_text("draw.js"),
            plotly=get_plotlyjs(),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "base64": lambda content: base64.b64encode(content).decode(),
        "counted": counted,
        "broken": _broken,
        "probability": probability,
    }
    return environment


def _broken(name: str) -> Markup:
    """A name that may go on in another line before a part that begins with a letter."""
    parts = re.split(r"(?<=[_.-])(?=[^\W\d_])", name)
    return Markup("<wbr>").join(parts)


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
