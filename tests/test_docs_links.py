"""Where the pages point there is something: files, headings, pictures, modules, paths in code."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *(
        ROOT / f"{name}.md"
        for name in ("README", "CONTRIBUTING", "CHANGELOG", "SECURITY", "benchmarks/README")
    ),
    *sorted((ROOT / "docs").rglob("*.md")),
]
ROOMS = {path.name for path in (ROOT / "augsearch").iterdir() if path.is_dir()}
PLACES = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"runs"}

FENCE = re.compile(r"^```.*?\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^)\s]+)[^)]*\)")
PICTURE = re.compile(r"""<(?:img|source)[^>]*\b(?:src|srcset)=["'](?P<target>[^"']+)["']""")
HEADING = re.compile(r"^#{1,6} +(.*?)(?: +#+)? *$", re.MULTILINE)
ANCHOR = re.compile(r"""<[^>]*\b(?:id|name)=["']([^"']+)["']""")
MODULE = re.compile(r"python -m ((?:augsearch|benchmarks|tools)[\w.]*)")
NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
ENDINGS = (".py", ".js", ".yaml", ".json", ".md", ".csv", ".toml", ".txt", ".png")


def prose(text: str) -> str:
    return SPAN.sub("", FENCE.sub("", text))


def targets(text: str) -> list[str]:
    """What a page's links and pictures lead to, in this repository."""
    found = [m["target"] for pattern in (LINK, PICTURE) for m in pattern.finditer(prose(text))]
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings; a second of the same words gets `-1`, a third `-2`."""
    text = FENCE.sub("", text)
    found: set[str] = set(ANCHOR.findall(text))
    seen: dict[str, int] = {}
    for heading in HEADING.findall(text):
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        plain = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        found.add(f"{plain}-{seen[plain]}" if plain in seen else plain)
        seen[plain] = seen.get(plain, 0) + 1
    return found


@cache
def anchors_of(page: Path) -> set[str]:
    return anchors(page.read_text(encoding="utf-8"))


def broken_links(page: Path, text: str) -> list[str]:
    broken = []
    for target in targets(text):
        path, _, anchor = unquote(target).partition("#")
        there = (page.parent / path).resolve() if path else page
        if there != page and not (there.exists() and there.is_relative_to(ROOT)):
            broken.append(target)
        elif anchor and there.suffix == ".md":
            known = anchors(text) if there == page else anchors_of(there)
            if anchor not in known:
                broken.append(target)
    return broken


def paths_in_code(text: str) -> list[str]:
    """Words of code that look like files of this repository or, in prose, of augsearch/.

    `store/database.py` and `studies/standard.yaml` do; `runs/NAME/policy.yaml` and a lone
    `policy.yaml`, which are a user's, do not.
    """
    found = []
    for code in [*SPAN.findall(FENCE.sub("", text)), *FENCE.findall(text)]:
        rooms = ROOMS if "\n" not in code else set()  # a block shows a user's directories, too
        for word in code.split():
            name = word.strip("(),;:'\"")
            first, slash, _ = name.partition("/")
            ours = first in PLACES | rooms or (rooms and name.endswith((".py", ".js")))
            if slash and ours and NAME.fullmatch(name) and name.endswith(ENDINGS):
                found.append(name)
    return found


def missing_paths(text: str) -> list[str]:
    return [
        name
        for name in paths_in_code(text)
        if not (ROOT / name).exists() and not (ROOT / "augsearch" / name).exists()
    ]


def test_this_test_sees_what_is_broken():
    page = ROOT / "docs" / "invented.md"
    text = (
        "# One `word`, two-words: *three*\n## Again\n## Again\n"
        "[a](search.md) [b](nothing.md) [c](#again-1) [d](#again-2) [e](../README.md#start)\n"
        "[f](../README.md#nowhere) ![g](images/nothing.png) [h](#one-word-two-words-three)\n"
        "`store/nothing.py`, `gone/room.py`, `runs/NAME/policy.yaml`, `store/database.py`\n"
        "```\nuv run python benchmarks/none.py\n[x](in-code.md)\n```\n"
    )
    wrong = ["nothing.md", "#again-2", "../README.md#nowhere", "images/nothing.png"]
    assert broken_links(page, text) == wrong
    assert missing_paths(text) == [
        "store/nothing.py",
        "gone/room.py",
        "benchmarks/none.py",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_headings_and_pictures_exist(page):
    assert broken_links(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_and_modules_in_code_exist(page):
    text = page.read_text(encoding="utf-8")
    assert missing_paths(text) == []
    assert [name for name in MODULE.findall(text) if find_spec(name.rstrip(".")) is None] == []
