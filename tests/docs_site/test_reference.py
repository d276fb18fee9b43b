"""The reference of the docs site has every verb, key and public name, and links lead somewhere."""

import json
import re
from typing import get_args

import pytest
import typer.main
from pydantic import BaseModel

import augsearch
from augsearch.cli.app import app
from augsearch.study_file import StudyConfig
from tools.docs_site import python_api
from tools.docs_site.commands import commands_page, fenced
from tools.docs_site.links import Turner
from tools.docs_site.settings import (
    RESULTS,
    ROOT,
    policy_page,
    results_page,
    schema_of,
    space_page,
    study_page,
)


def verbs(command=None, name="augsearch"):
    command = command or typer.main.get_command(app)
    for word, one in getattr(command, "commands", {}).items():
        yield f"{name} {word}", one
        yield from verbs(one, f"{name} {word}")


def keys(model=StudyConfig, path=""):
    """Every key of a file, dotted, as the models themselves have it."""
    for name, field in model.model_fields.items():
        yield f"{path}{name}"
        for part in models_in(field.annotation):
            yield from keys(part, f"{path}{name}.")


def models_in(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def rows(page, heading):
    """The first cells of the table below a heading."""
    below = page.partition(f"{heading}\n")[2]
    table = re.search(r"\| key .*\n\|---.*\n((?:\|.*\n)*)", below)
    return re.findall(r"^\| `(\w+)`", table[1], re.MULTILINE)


def test_every_verb_is_there_with_every_option():
    page = commands_page()
    found = dict(verbs())
    assert {"augsearch run", "augsearch studies show"} <= set(found)
    for name, command in found.items():
        _, heading, rest = page.partition(f"## `{name}`\n")
        assert heading, name
        section = rest.partition("\n## ")[0]
        for option in command.params:
            for word in option.opts:
                shown = f"`{word}" if word.startswith("-") else word
                assert shown in section or option.hidden, (name, word)


def test_lines_that_help_keeps_as_they_are_become_a_block():
    text = "Search.\n\n\b\nExample:\n  augsearch run\n\nMore.\n"
    assert fenced(text) == "Search.\n\n```text\nExample:\n  augsearch run\n```\n\nMore.\n"
    assert "\b" not in commands_page()


def test_every_key_of_a_study_file_is_in_the_table_of_its_section():
    page, found = study_page(), list(keys())
    assert {"search.trials", "search.sampler.startup_trials", "pilot.weights.width"} <= set(found)
    described = {
        f"{section}.{key}"
        for section in re.findall(r"^#+ `([\w.]+)`", page, re.MULTILINE)
        for part in re.split(rf"^#+ `{re.escape(section)}`", page, flags=re.MULTILINE)[1:]
        for key in rows(f"x\n{part}", "x")
    } | set(rows(page, "## All keys"))
    # A second section of a kind that is described already points there.
    again = [re.escape(name) for name in re.findall(r"`([\w.]+)`\n\n.*\n\nThe keys are", page)]
    pointed = re.compile(rf"({'|'.join(again)})\..+")
    assert [key for key in found if key not in described and not pointed.fullmatch(key)] == []


@pytest.mark.parametrize(("page", "name"), [(space_page, "space"), (policy_page, "policy")])
def test_operations_are_there_with_their_parameters(page, name):
    text = page()
    for part in schema_of(name)["$defs"].values():
        if op := part["properties"].get("op", {}).get("const"):
            place = text.index(f"`{op}`") if f"[`{op}`]" in text else text.index(f"`op: {op}`")
            for key in set(part["properties"]) - {"op", "name", "p"}:
                assert f"`{key}`" in text[place:], (op, key)


def test_every_result_file_is_there():
    page = results_page()
    written = {path.name.partition(".")[0] for path in (ROOT / "schemas").iterdir()}
    assert set(RESULTS) == written - {"study", "space", "policy"}
    for name in RESULTS:
        for key in schema_of(name)["properties"]:
            assert f"| `{key}` |" in page.partition(f"## {schema_of(name)['title']}\n")[2], key


def test_attributes_that_a_docstring_describes_are_described():
    verdict = results_page().partition("#### `verdict`")[2]
    assert re.search(r"\| `advice` \| string \|  \| what to do next", verdict)
    assert re.search(r"\| `low` .*\| an interval", verdict)  # of `low, high: an interval ...`


def test_every_public_name_is_there(monkeypatch):
    page = python_api.python_page()
    for name in augsearch.__all__:
        assert f".{name}\n" in page, name
    monkeypatch.setattr(augsearch, "__all__", [*augsearch.__all__, "one_more"])
    with pytest.raises(LookupError, match="one_more"):
        python_api.python_page()


PAGES = {"README.md": "index.md", "docs/search.md": "search.md", "docs/made.md": "part/made.md"}


@pytest.mark.parametrize(
    ("source", "written", "on_the_site"),
    [
        ("docs/search.md", "[a](../README.md#start)", "[a](index.md#start)"),
        ("README.md", "[a](docs/search.md)", "[a](search.md)"),
        ("README.md", '<img src="docs/images/a.png">', '<img src="images/a.png">'),
        ("docs/made.md", "![a](images/a.png)", "![a](../images/a.png)"),
        ("docs/search.md", "[a](#x) [b](https://x.org)", "[a](#x) [b](https://x.org)"),
        ("docs/search.md", "[the `test`](../tests/t.py)", "the `test` (`tests/t.py`)"),
        ("docs/search.md", "[`tests/t.py`](../tests/t.py)", "`tests/t.py`"),
        ("docs/search.md", "[`t.py`](../tests/t.py)", "`tests/t.py`"),
        ("docs/search.md", "```\n[a](../tests/t.py)\n```", "```\n[a](../tests/t.py)\n```"),
        ("docs/search.md", "[a](nowhere.md)", "[a](nowhere.md)"),  # for MkDocs to find
    ],
)
def test_links_lead_to_what_the_site_has(source, written, on_the_site):
    assert Turner(source, PAGES, None).turn(written) == on_the_site


def test_links_lead_to_the_repository_if_its_address_is_known():
    turner = Turner("docs/search.md", PAGES, "https://example.org/augsearch/")
    link = "[t](https://example.org/augsearch/blob/main/tests/t.py)"
    assert turner.turn("[t](../tests/t.py)") == link


def test_defaults_are_shown_as_a_file_would_say_them():
    default = schema_of("study")["$defs"]["SearchConfig"]["properties"]["trials"]["default"]
    assert f"| `trials` | integer ≥ 1 | `{json.dumps(default)}` |" in study_page()
