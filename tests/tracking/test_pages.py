"""The page that MLflow's server draws all others in, by the app that `augsearch ui` serves."""

from importlib.metadata import entry_points

import pytest
from flask import Flask, Response

from augsearch.tracking import pages


@pytest.fixture
def server():
    app = Flask("mlflow")
    app.after_request(pages._for_training)
    app.add_url_rule("/", "page", lambda: Response("<html><head><title>x", mimetype="text/html"))
    app.add_url_rule("/api", "api", lambda: Response("<head>", mimetype="text/html"))
    return app.test_client()


def test_choices_are_made_before_the_page_is_drawn(server):
    page = server.get("/")
    assert page.text.startswith("<html><head><script>") and page.text.endswith("<title>x")
    for key, value in pages.CHOICES.items():
        assert key in page.text and value.replace('"', '\\"') in page.text
    assert int(page.headers["Content-Length"]) == len(page.data)


def test_an_address_without_a_page_opens_the_studies(server, monkeypatch):
    monkeypatch.setenv(pages.FIRST_PAGE, "experiments/1/runs?viewStateShareKey=augsearch-studies")
    page = server.get("/").text
    wanted = 'location.replace("#/" + "experiments/1/runs?viewStateShareKey=augsearch-studies")'
    assert wanted in page


def test_nothing_else_is_touched(server):
    assert server.get("/api").text == "<head>"


def test_mlflow_finds_the_app():
    (found,) = entry_points(group="mlflow.app", name="augsearch")
    assert found.load() is pages.create_app
