"""The report as a file, from plain data."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from example_report import (
    AWKWARD,
    FIGURES,
    effects,
    example_report,
    mistakes,
    running_report,
)
from plotly.offline import get_plotlyjs

from augsearch.report.markdown import markdown_page
from augsearch.report.page import html_page
from augsearch.report.sections.classes import ClassEffect
from augsearch.report.sections.mistakes import ClassScore
from augsearch.report.sections.trials.parameter_findings import ParameterFacts, Place
from augsearch.report.sections.trials.parameters import Understanding
from augsearch.words import Unit

VOID = {"meta", "link", "img", "br", "hr", "input", "wbr"}


class Reader(HTMLParser):
    """Reads a page, checks that every tag is closed, and keeps what matters."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.alts, self.addresses = [], [], [], [], []
        self.text, self.headings = "", []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        if tag == "img":
            self.alts.append(found["alt"])
        if found.get("role") == "img":
            self.alts.append(found["aria-label"])
        self.addresses += [found[key] for key in ("src", "href") if key in found]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def page():
    return html_page(example_report())


def test_the_verdict_comes_first_and_reproduction_last(page):
    assert read(page).headings == [
        "The verdict",
        "Results",
        "Two aims at once",
        "What it does to your images",
        "The policy",
        "Who gains, who loses",
        "Which images it fails on",
        "Composition matrix",
        "Which parameters matter",
        "The search",
        "How far to trust short runs",
        "What it cost",
        "How to reproduce it",
    ]


def test_every_link_of_the_contents_leads_somewhere(page):
    reader = read(page)
    assert len(reader.ids) == len(set(reader.ids))
    assert {link.removeprefix("#") for link in reader.links} <= set(reader.ids)
    assert len(reader.links) == len(reader.headings)


def test_names_are_shown_as_they_are_and_run_nothing(page):
    assert AWKWARD in read(page).text
    assert "<b>rust" not in page and "</script><b>" not in page


def test_every_picture_is_told_in_words(page):
    alts = read(page).alts
    shown = 4  # sealed images
    assert len(alts) == FIGURES + 3 + shown and all(len(alt) > 5 for alt in alts)


def test_the_page_points_nowhere_else_and_holds_its_script_once(page):
    assert all(a.startswith(("data:", "#")) for a in read(page).addresses)
    script = get_plotlyjs()
    assert page.count(script) == 1
    assert len(page) < 8e6


def test_a_class_that_loses_is_named_plainly():
    found = effects()
    assert found.sentence.startswith(
        "Against SimCLR s=0.5, trial 3 helps scratch (+10.0 points), but it costs "
    )
    assert "(−14.0 points)" in found.sentence
    undecided = replace(found, classes=(ClassEffect("pit", 0.5, 0.5, 1, -3, 3),))
    assert "no class is shown to gain or to lose by" in undecided.sentence


def test_a_study_that_runs_says_so_and_shows_what_there_is():
    reader = read(html_page(running_report()))
    assert reader.headings[0] == "No verdict yet"
    assert "This study is still running: 3 of 24 trials are done." in reader.text
    assert "No pictures of views: the folder is gone." in reader.text
    assert "Nothing is said yet of marginal effects (16), importance (20)," in reader.text
    assert "The search" in reader.headings and "Who gains, who loses" not in reader.headings


def test_which_images_it_fails_on_is_told_and_shown():
    reader = read(html_page(example_report()))
    told = (
        "trial 3 has 20 of 30 sealed images right most of the time, SimCLR s=0.5 has 15. 9 are "
        "right under trial 3 alone, 4 under SimCLR s=0.5 alone; about 3 each way would be by "
        "chance, as the seeds of one policy differ. No seed of either has any of the images right "
        "more often than guessing would."
    )
    assert told in reader.text
    assert f"{AWKWARD} (50.0 %) is not shown to be better than guessing" in reader.text
    assert f"Most often confused: {AWKWARD} taken for scratch (50.0 % of" in reader.text
    assert "Right under trial 3, wrong under SimCLR s=0.5: 9" in reader.text
    assert "The 2 that differ most:" in reader.text and "there taken for" in reader.text
    assert "Wrong under every seed of both" not in reader.text  # there are none
    assert reader.alts.count(AWKWARD) == 4


def test_of_many_classes_the_commonest_confusions_are_listed():
    names = [f"class {i}" for i in range(14)]
    wrong = tuple(tuple(0.01 * (i + j) for j in range(14)) for i in range(14))
    many = replace(
        mistakes(), classes=tuple(ClassScore(n, 0.5, 0.4) for n in names), shares=(wrong, wrong)
    )
    assert many.drawn == () and len(many.table.rows) == 15
    assert many.table.rows[0][:3] == ("class 12", "class 13", "25.0")
    near = replace(many, classes=tuple(ClassScore(n, 0.5, 0.0) for n in names)).near_guessing
    assert near.count("class ") == 5 and "and 9 other classes are not shown" in near
    right = replace(mistakes(), shares=(((1, 0, 0), (0, 1, 0), (0, 0, 1)), mistakes().shares[1]))
    assert right.confusions == ""
    assert replace(many, shares=None).table.rows == [] and not replace(many, shares=None).confusions


def test_every_parameter_has_its_range_its_evidence_and_a_conclusion():
    degrees = Unit(after="°")
    moves = ParameterFacts(
        "turn.degrees", 40, (0, 90), (0, 45), 1.4, 3.0, 0.001, 45, 0, "end of what was tried",
        (30, 44), degrees,
    )  # fmt: skip
    flat = replace(moves, importance=0.3, p_value=0.6, best_quarter=(10, 10))
    few = replace(moves, importance=None, effect=None, p_value=None, best=None, best_quarter=None)
    decides = replace(flat, importance=1.2)
    parameters = (moves, flat, few, decides)
    found = replace(example_report().section(Understanding), parameters=parameters)
    rows = [tuple(row) for row in found.table.rows]
    assert rows[0] == (
        "turn.degrees", "0 to 90°", "0 to 45°", "30 to 44°", "3.0 points, p 0.001; importance 1.4",
        "best at 45°; no trial went further",
    )  # fmt: skip
    assert rows[1][3:] == ("10°", "3.0 points, p 0.6; importance 0.3", "no effect shown")
    assert rows[2][3:] == ("", "", "too few trials to say")
    assert rows[3][5] == "matters, but no best value is shown"
    places: tuple[Place, ...] = ("end of the range", "as far as it goes", "both ends")
    assert [replace(moves, place=place).conclusion for place in places] == [
        "best at its end, 45°: widen the range there",
        "best at 45°, as far as it goes",
        "both ends beat the middle, near 0°",
    ]
    gate = replace(flat, choices=(0, 0.5), best_quarter=(0.5, 5 / 6), unit=Unit(100, after=" %"))
    assert (gate.range_text, gate.quarter_text) == ("0 % or 50 %", "50 % in 83 % of it")


def test_the_one_pager_is_one_page_and_safe():
    page = markdown_page(example_report())
    assert page.startswith(
        "# Augmentations for steel & rust, 2026-01-01\n\n**trial 3 is better than every baseline"
    )
    assert len(page.split()) < 500
    assert not re.search(r"(?<!\\)<b>", page)
    assert "## What was found" in page and "crop.scale\\_min: best near 1" in page
    assert markdown_page(running_report()).count("\n## ") == 0


def test_nothing_to_do_is_not_announced_and_two_answers_are_two_lines():
    report = example_report()
    headline = replace(report.headline, advice="", sentence="Here: stay.\nThere: go.", badge="")
    told = replace(report, headline=headline)
    assert "Next:" in read(html_page(report)).text
    assert "Next:" not in read(html_page(told)).text
    assert '<p class="sentence">Here: stay.</p>\n<p class="sentence">There: go.</p>' in (
        re.sub(r"\n+", "\n", html_page(told))
    )
    assert "**Here: stay.**\n\n**There: go.**\n\nHow sure?" in markdown_page(told)
