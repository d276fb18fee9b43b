"""The docs site as MkDocs builds it: complete, strict, and the same without a network."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="`--group docs` installs what builds the site")

from chromium import PATIENCE, chromium, needs_chromium
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from test_reference import verbs

import augsearch

ROOT = Path(__file__).resolve().parents[2]
SHOWN = ["index.html", "tutorial.html", "reference/study_file.html", "reference/commands.html"]
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|audio|video)[^>]*\bsrc(?:set)?=["']([^"']+)"""
    r"""|<link[^>]*\bhref=["']([^"']+)|url\(["']?([^"')]+)|@import ["']([^"']+)"""
)

pytestmark = pytest.mark.long


def build(root, into):
    """MkDocs' run in a directory with `mkdocs.yml`; warnings are errors."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(into)]
    return subprocess.run(command, check=False, cwd=root, capture_output=True, text=True)


@pytest.fixture(scope="session")
def site(shared):
    """Built once for all processes."""

    def make():
        built = build(ROOT, Path.cwd())
        assert built.returncode == 0, built.stderr

    return shared.made("docs-site", make)


def test_what_leads_nowhere_stops_the_build(tmp_path):
    for name in ("docs", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for path in ROOT.iterdir():
        if path.name in {"augsearch", "schemas", "spaces", "studies"} or path.is_file():
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "README.md").unlink()
    (tmp_path / "README.md").write_text("# augsearch\n[a](docs/nowhere.md) [b](docs/data.md#no)\n")
    built = build(tmp_path, tmp_path / "site")
    assert built.returncode == 1
    assert "nowhere.md" in built.stderr
    assert "not contain an anchor '#no'" in built.stderr


def test_the_reference_is_complete(site):
    commands = (site / "reference/commands.html").read_text()
    for name, _ in verbs():
        assert f'id="{name.replace(" ", "-")}"' in commands, name
    python = (site / "reference/python.html").read_text()
    for name in augsearch.__all__:
        assert re.search(rf'<h3 id="augsearch\.[\w.]+\.{name}"', python), name
    # A name without its docstring would leave an empty entry.
    entries = re.split(r'<h3 id="augsearch', python)[1:]
    assert [entry[:60] for entry in entries if "<p>" not in entry] == []


def test_nothing_is_fetched_from_another_host(site):
    looked_at = [path for path in site.rglob("*") if path.suffix in {".html", ".css"}]
    assert len(looked_at) > 30
    for path in looked_at:
        for found in FETCHED.findall(path.read_text(encoding="utf-8")):
            address = next(filter(None, found))
            assert not re.match(r"(?:[a-z]+:)?//", address), (path.name, address)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def resize(browser, width):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", SHOWN)
def test_pages_fit_and_are_quiet(browser, site, page, width):
    browser.get_log("browser"), browser.get_log("performance")
    resize(browser, width)
    browser.get((site / page).as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []
    asked = [entry["message"] for entry in browser.get_log("performance")]
    asked = [line for line in asked if '"documentURL":"file:' in line]  # not the new tab's
    assert asked
    inside = ('"url":"file:', '"url":"data:')
    assert [line for line in asked if not any(place in line for place in inside)] == []


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize(
    ("word", "page"),
    [("successive_halving", "study_file"), ("run_study", "python"), ("sealed", "")],
)
def test_the_search_works_from_a_disk(browser, site, word, page):
    resize(browser, 1280)
    browser.get((site / "index.html").as_uri())
    browser.find_element(By.CSS_SELECTOR, ".md-search__input").send_keys(word)
    links = WebDriverWait(browser, PATIENCE).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, ".md-search-result__link")
    )
    assert any(page in link.get_attribute("href") for link in links[:5])
