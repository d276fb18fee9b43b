"""A study's report as files: HTML, Markdown, a table."""

from __future__ import annotations

from augsearch.files import csv_bytes
from augsearch.report.content import Report
from augsearch.search.report.ablation import ablation_report
from augsearch.search.report.collect import Sources, collect
from augsearch.store.frame import store_frame
from augsearch.store.study_store import Store

PAGE, ONE_PAGER, TABLE = "report.html", "report.md", "trials.csv"


def report_files(sources: Sources) -> dict[str, bytes]:
    """A study's files by name."""
    return _files(collect(sources), sources.store)


def ablation_report_files(store: Store, *, running: bool = False) -> dict[str, bytes]:
    """The same of what is stored under the name of an ablation, and may still be added to."""
    return _files(ablation_report(store, running), store)


def _files(report: Report, store: Store) -> dict[str, bytes]:
    # plotly takes a second to import, which readers of other verbs should not wait for.
    from augsearch.report.markdown import markdown_page
    from augsearch.report.page import html_page

    return {
        PAGE: html_page(report).encode(),
        ONE_PAGER: markdown_page(report).encode(),
        TABLE: csv_bytes(store_frame(store)),
    }
