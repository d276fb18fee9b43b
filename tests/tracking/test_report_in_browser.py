"""The report in a real browser without a network: drawn in full, quiet, not too wide, for all."""

from importlib.resources import files

import pytest
from chromium import PATIENCE, chromium, needs_chromium
from example_report import FIGURES, example_report, running_report
from selenium.webdriver.support.ui import WebDriverWait

from augsearch.report.page import html_page

WIDTHS = (1280, 768, 390)

pytestmark = [
    pytest.mark.browser,
    needs_chromium,
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
        )
        yield driver


def show(browser, page, width, figures):
    """Open a page in a window of that width and wait for its figures."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.get(page.as_uri())
    drawn = "return [...document.querySelectorAll('.plot')].filter(p => p._fullLayout).length"
    WebDriverWait(browser, PATIENCE).until(
        lambda driver: driver.execute_script(drawn) == figures, f"not {figures} figures are drawn"
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    directory = tmp_path_factory.mktemp("reports")
    found = {"full": (example_report(), FIGURES), "running": (running_report(), 3)}
    for name, (report, _) in found.items():
        (directory / f"{name}.html").write_text(html_page(report), encoding="utf-8")
    return {name: (directory / f"{name}.html", count) for name, (_, count) in found.items()}


@pytest.mark.long
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["full", "running"])
def test_all_is_drawn_without_errors_and_without_a_network(browser, pages, name, width):
    page, figures = pages[name]
    browser.get_log("browser"), browser.get_log("performance")
    show(browser, page, width, figures)
    assert browser.get_log("browser") == []
    asked = [
        line
        for entry in browser.get_log("performance")
        if "Network.requestWillBeSent" in (line := entry["message"])
    ]
    # The page itself, and pictures that are inside it.
    outside = [line for line in asked if '"url":"file:' not in line and '"url":"data:' not in line]
    assert outside == []


@pytest.mark.long
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["full", "running"])
def test_nothing_is_wider_than_the_window(browser, pages, name, width):
    show(browser, *(pages[name][0], width, pages[name][1]))
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    # Figures that fit have room for what they show, and every picture has been decoded.
    widest = """return Math.max(0, ...[...document
        .querySelectorAll('figure.fits .plot, figure:not(.wide) img')]
        .map(e => e.getBoundingClientRect().right))"""
    assert 0 < browser.execute_script(widest) <= width
    broken = "return [...document.images].filter(i => i.naturalWidth == 0).length"
    assert browser.execute_script(broken) == 0


@pytest.mark.long
def test_on_paper_figures_take_the_papers_width(browser, pages):
    show(browser, pages["full"][0], 1280, pages["full"][1])
    browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    widths = browser.execute_script(
        "return [...document.querySelectorAll('.plot')].map(p => p._fullLayout.width)"
    )
    assert max(widths) <= 660
    browser.execute_script("window.dispatchEvent(new Event('afterprint'))")
    wide = "return [...document.querySelectorAll('figure.fits .plot')][0]._fullLayout.width"
    WebDriverWait(browser, PATIENCE).until(lambda driver: driver.execute_script(wide) > 700)


# Deque's axe-core, as a package for another browser library brings it along.
AXE = files("axe_playwright_python") / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
CHECK = """const [tags, done] = arguments;
for (const details of document.querySelectorAll("details")) details.open = true;
axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]})
    .then(found => done(found.violations.map(one => [one.id, one.help,
        one.nodes.slice(0, 3).map(node => node.html.slice(0, 160))])),
        error => done([["axe", String(error), []]]));"""


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_read_it(browser, pages, width, scheme):
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    page, figures = pages["full"]
    show(browser, page, width, figures)
    browser.set_script_timeout(PATIENCE)
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    assert browser.execute_async_script(CHECK, RULES) == []
