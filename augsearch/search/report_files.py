"""A study's report as files: HTML, Markdown, a table."""

from __future__ import annotations

from augsearch.search.frame import store_frame
from augsearch.search.report_content import Sources, collect

PAGE, ONE_PAGER, TABLE = "report.html", "report.md", "trials.csv"


def report_files(sources: Sources) -> dict[str, bytes]:
    """The files by name."""
    # plotly takes a second to import, which readers of other verbs should not wait for.
    from augsearch.tracking.report.markdown import markdown_page
    from augsearch.tracking.report.page import html_page

    report = collect(sources)
    return {
        PAGE: html_page(report).encode(),
        ONE_PAGER: markdown_page(report).encode(),
        TABLE: store_frame(sources.store).to_csv(index=False).encode(),
    }
