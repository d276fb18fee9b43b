"""What a person sees in MLflow's UI after a study: real server, real browser."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from chromium import PATIENCE, chromium, needs_chromium
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from shared_studies import copy_study
from small_study import small_config, small_images, small_space

from augsearch.tracking.client import client_for
from augsearch.verbs.ablate import ablate
from augsearch.verbs.run import run_study

CELL = "//*[@role='gridcell'][.//a[normalize-space()='{}']]"
# With these set MLflow switches its telemetry off by itself and ours would not be tested.
LOOKS_LIKE_A_TEST = {"PYTEST_CURRENT_TEST", "CI", "GITHUB_ACTIONS"}

pytestmark = [
    pytest.mark.long,
    pytest.mark.browser,
    needs_chromium,
]


@dataclass(frozen=True)
class Served:
    """A finished study and an ablation behind `augsearch ui`; `runs` are MLflow's, by name.

    Attributes:
        landing: the page that `augsearch ui` names.
    """

    process: int
    directory: Path
    address: str
    landing: str
    experiment: str
    runs: dict[str, Any]

    def page(self, path: str) -> str:
        return f"{self.address}/#/{path}"

    def run_page(self, name: str, tab: str = "") -> str:
        return self.page(f"experiments/{self.experiment}/runs/{self.runs[name].info.run_id}{tab}")


def run_study_and_ablation():
    small = {"data": small_images(), "study": small_config(), "device": "cpu"}
    run_study(small_space(), trials=2, name="browsed", **small)
    ablate(small_space(), replicates=2, name="cells", **small)


@pytest.fixture(scope="module")
def served(tmp_path_factory, shared):
    directory = tmp_path_factory.mktemp("browsed")
    copy_study(shared.made("browsed", run_study_and_ablation), directory)
    client = client_for(f"sqlite:///{directory / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("augsearch").experiment_id
    runs = {run.info.run_name: run for run in client.search_runs([experiment])}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = start_server(directory, port)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for_server(server, address, directory / "ui.log")
        yield Served(server.pid, directory, address, landing(directory, address), experiment, runs)
    finally:
        # MLflow starts workers: the whole group goes.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def landing(directory: Path, address: str) -> str:
    """The page that `augsearch ui` names, once its server answers."""
    for _ in range(2 * PATIENCE):
        if found := re.search(rf"{address}\S+", (directory / "ui.log").read_text()):
            return found[0]
        time.sleep(0.5)
    pytest.fail("`augsearch ui` names no page")


def start_server(directory: Path, port: int) -> subprocess.Popen:
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in LOOKS_LIKE_A_TEST and not key.startswith("MLFLOW_") and key != "DO_NOT_TRACK"
    }
    command = [str(Path(sys.executable).with_name("augsearch")), "ui", "--port", str(port)]
    with (directory / "ui.log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_for_server(server: subprocess.Popen, address: str, log: Path) -> None:
    for _ in range(2 * PATIENCE):
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            if server.poll() is not None:
                break
            time.sleep(0.5)
    pytest.fail(f"`augsearch ui` does not answer:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile"), said="SEVERE") as driver:
        yield driver


@pytest.fixture
def see(browser):
    """`see("//xpath")`: waits until the element is drawn; `click=True`: and takes a click."""

    def find(path: str, click: bool = False):
        def drawn(driver):
            element = driver.find_element(By.XPATH, path)
            driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
            if not element.is_displayed():
                return None
            if click:
                element.click()
            return element

        # The page redraws itself while it loads: what was found may be gone or not yet in place.
        wait = WebDriverWait(browser, PATIENCE, ignored_exceptions=[WebDriverException])
        return wait.until(drawn, f"not on {browser.current_url}: {path}")

    return find


def test_the_list_of_runs_has_the_trials_under_their_study(served, browser, see):
    browser.get(served.page(f"experiments/{served.experiment}/runs"))
    see(CELL.format("browsed"))
    assert not browser.find_elements(By.XPATH, CELL.format("trial 0"))
    see(CELL.format("browsed") + "//button", click=True)
    for name in ("trial 0", "trial 1", "baseline: SimCLR s=1"):
        link = see(CELL.format(name) + "//a")
        assert served.runs[name].info.run_id in link.get_attribute("href")


def test_the_first_page_lists_studies_with_their_verdicts(served, browser, see):
    browser.get(served.landing)
    see(CELL.format("browsed"))
    study = served.runs["browsed"]
    see(f"//*[@role='gridcell'][normalize-space()='{study.data.tags['augsearch.verdict']}']")
    score = f"{study.data.metrics['confirmed_percent']:g}"
    see(f"//*[@role='gridcell'][starts-with(normalize-space(),'{score}')]")
    see("//*[@role='gridcell'][starts-with(normalize-space(),'inspection surfaces (')]")


def test_a_click_on_a_study_stays_among_the_pages_for_model_training(served, browser, see):
    browser.get(served.landing)
    see(CELL.format("browsed") + "//a", click=True)
    see("//h2[contains(.,'Description')] | //*[normalize-space()='About this run']")
    assert "workflowType" not in browser.current_url  # MLflow forgets what the address said
    see("//nav//*[normalize-space()='Model registry'] | //*[normalize-space()='Model registry']")
    shown = browser.find_element(By.TAG_NAME, "body").text.splitlines()
    assert not {"Judges", "Prompts", "Sessions", "Evaluation runs"} & set(shown)


def test_trials_are_listed_by_score_and_two_of_them_compared(served, browser, see):
    trials = [served.runs[name] for name in ("trial 1", "trial 0")]  # newer before, where level
    values = [trial.data.params["view1.resized_crop.scale_min"] for trial in trials]
    assert values[0] != values[1]
    browser.get(served.landing)
    see("//button[normalize-space()='Studies']", click=True)
    see("//*[@role='menuitem'][contains(.,'Trials by score')]", click=True)
    see(CELL.format("trial 0"))
    assert not browser.find_elements(By.XPATH, CELL.format("browsed"))
    ranked = sorted(trials, key=lambda trial: -trial.data.metrics.get("score_percent", -1))
    assert shown_in_order(browser, "trial ") == [trial.info.run_name for trial in ranked]
    see("//*[@role='columnheader'][contains(.,'score_percent')]")
    for name in ("trial 0", "trial 1"):
        row = f"//*[@role='row'][.{CELL.format(name)}]"
        see(f"{row}//*[contains(@class,'ag-checkbox-input-wrapper')]", click=True)
    see("//button[normalize-space()='Compare']", click=True)
    row = see("//tr[*[normalize-space()='view1.resized_crop.scale_min']]")
    assert set(row.text.split()) == {"view1.resized_crop.scale_min", *values}


def test_a_study_leads_to_its_trials_and_a_trial_says_what_it_is(served, browser, see):
    browser.get(served.landing)
    browser.get_log("browser")
    see(CELL.format("browsed") + "//a", click=True)
    see("//button[normalize-space()='Show more']", click=True)
    link = see('//a[normalize-space()="The study\'s trials, best first"]')
    browser.get(link.get_attribute("href"))  # a click opens a tab
    see("//button[normalize-space()='Trials of browsed']")
    see(CELL.format("trial 0"))
    headers = browser.find_elements(By.XPATH, "//*[@role='columnheader']")
    in_order = sorted(headers, key=lambda one: one.location["x"])
    names = list(dict.fromkeys(one.text for one in in_order))
    first = names.index("score_percent")
    assert names[first : first + 3] == ["score_percent", "gain_points", "seconds/total"]
    best = shown_in_order(browser, "trial ")[0]
    see(CELL.format(best) + "//a", click=True)
    trial = served.runs[best].data
    see(f"//strong[normalize-space()='{trial.metrics['score_percent']:.1f} %']")
    see("//p[contains(., 'in the search') and contains(., 'the best baseline')]")
    see("//p[starts-with(., 'What differs from ')] | //p[starts-with(., 'This is ')]")
    assert_quiet(browser)


def test_the_assistant_stays_closed(served, browser, see):
    browser.get(served.landing)
    see(CELL.format("browsed"))
    assert "MLflow Assistant" not in browser.find_element(By.TAG_NAME, "body").text


def test_the_cells_of_an_ablation_are_listed_by_score_under_their_finding(served, browser, see):
    browser.get(served.landing)
    finding = served.runs["cells"].data.tags["augsearch.verdict"]
    assert finding.startswith("The best pair is ")
    see(f"//*[@role='gridcell'][normalize-space()='{finding}']")
    see("//button[normalize-space()='Studies']", click=True)
    see("//*[@role='menuitem'][contains(.,'Ablation cells by score')]", click=True)
    cells = [run for name, run in served.runs.items() if name.startswith("ablation: ")]
    ranked = sorted(cells, key=lambda run: -run.data.metrics["score_percent"])
    see(CELL.format(ranked[0].info.run_name))
    assert not browser.find_elements(By.XPATH, CELL.format("cells"))
    scores = {run.info.run_name: run.data.metrics["score_percent"] for run in cells}
    shown = [scores[name] for name in shown_in_order(browser, "ablation: ")]
    assert len(shown) == len(cells) == 8
    assert shown == sorted(shown, reverse=True)


def shown_in_order(browser, beginning: str) -> list[str]:
    """The names in the list of runs that begin so, from top to bottom."""
    links = browser.find_elements(
        By.XPATH, f"//*[@role='gridcell']//a[starts-with(normalize-space(),'{beginning}')]"
    )
    return [link.text for link in sorted(links, key=lambda link: link.location["y"])]


def test_the_views_of_a_trial_are_shown(served, browser, see):
    browser.get(served.run_page("trial 0", "/artifacts"))
    file = "//*[normalize-space(text())='views.png']"
    see(file)
    big = "return [...document.images].some(i => i.naturalWidth > 400 && i.naturalHeight > 400)"
    assert not browser.execute_script(big)
    see(file, click=True)
    WebDriverWait(browser, PATIENCE).until(
        lambda driver: driver.execute_script(big), "no picture of views was drawn"
    )


def verdict_of(served):
    """Word and sentence, as the study's page in MLflow has them."""
    return served.runs["browsed"].data.tags["mlflow.note.content"].split("**")[1]


def test_the_study_tells_its_verdict(served, browser, see):
    browser.get(served.run_page("browsed"))
    see(f"//strong[normalize-space()='{verdict_of(served)}']")


@pytest.fixture
def report(served, browser, see):
    """The study's report in MLflow's frame."""
    browser.get(served.run_page("browsed", "/artifacts"))
    file = see("//*[normalize-space(text())='report.html']")
    browser.get_log("browser")
    file.click()
    browser.switch_to.frame(see("//iframe"))
    yield browser
    browser.switch_to.default_content()


def test_the_report_opens_among_the_artifacts(served, report, see):
    badge, _, sentence = verdict_of(served).partition(": ")
    see(f"//*[@id='verdict']//p[normalize-space()='{badge}']")
    see(f"//*[@id='verdict']//p[normalize-space(translate(., '\u00a0', ' '))='{sentence}']")
    plots = "const all = [...document.querySelectorAll('.plot')]; return all.length > 2 && "
    WebDriverWait(report, PATIENCE).until(
        lambda driver: driver.execute_script(f"{plots}all.every(plot => plot._fullLayout)"),
        "not all figures of the report are drawn",
    )
    assert_quiet(report)


def test_the_contents_of_the_report_lead_somewhere_in_the_frame(report, see):
    see("//nav//a")
    links = report.find_elements(By.CSS_SELECTOR, "nav a")
    assert len(links) > 4
    tops = []
    for link in links[1:4]:
        link.click()
        there = link.get_attribute("hash").removeprefix("#")
        top = f"return document.getElementById('{there}').getBoundingClientRect().top"
        tops.append(report.execute_script(top))
        report.execute_script("scrollTo(0, 0)")
    assert tops == pytest.approx([0, 0, 0], abs=60)
    assert_quiet(report)


def assert_quiet(browser):
    """No errors of ours in the console; MLflow's own pages are not always quiet."""
    errors = [entry["message"] for entry in browser.get_log("browser")]
    assert [one for one in errors if not re.search("/static-files/|/ajax-api/", one)] == []


def test_the_study_leads_to_its_registered_policy(served, browser, see):
    browser.get(served.run_page("browsed"))
    see("//a[starts-with(normalize-space(),'augsearch.browsed')]", click=True)
    see("//h2[normalize-space()='Version 1']")
    see(f"//p[starts-with(normalize-space(),'{verdict_of(served)}')]")
    see("//code[contains(.,'load_model(\"models:/augsearch.browsed/1\")')]")
    see("//li[contains(.,'resized_crop, in every view')]")
    assert (
        see("//a[normalize-space()='browsed']")
        .get_attribute("href")
        .endswith(served.runs["browsed"].info.run_id)
    )


def test_the_pages_ask_nobody_but_this_machine(served, browser, see):
    browser.get(served.address)
    browser.get(served.run_page("browsed"))
    see("//a[normalize-space()='augsearch']")
    asked = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(urlsplit(message["params"]["request"]["url"]))
    hosts = {url.hostname for url in asked if url.scheme in {"http", "https", "ws", "wss"}}
    assert hosts == {"127.0.0.1"}


def test_little_is_printed_and_no_warning(served):
    said = (served.directory / "ui.log").read_text().splitlines()
    assert said[0] == "Telemetry is off: MLflow sends nothing about its use to anybody."
    ours = [line for line in said if not line.startswith("[MLflow] Security middleware enabled")]
    assert ours[1:] == [f"MLflow UI: {served.landing} (stop with Ctrl-C)"]


def test_the_server_is_told_to_send_no_telemetry(served):
    servers = psutil.Process(served.process).children(recursive=True)
    assert servers
    assert {one.environ()["MLFLOW_DISABLE_TELEMETRY"] for one in servers} == {"true"}
