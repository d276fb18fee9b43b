"""MLflow's server with one thing changed: its pages begin with the studies.

MLflow's UI has two sets of pages, for language models and for model training, and goes by what a
browser last chose. Where nothing was chosen yet, a click on a study would end among the former, and
a panel that talks to a language model would take a quarter of the page.
"""

from __future__ import annotations

import json
import os
import warnings
from typing import Any

CHOICES = {
    "mlflow.workflowType_v1": '"machine_learning"',
    "mlflow.settings.telemetry.enabled_v1": "false",
    "mlflow.telemetry.info.alert.dismissed_v1": "true",  # it asks about what is off
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",  # as if it had been, and closed
}
"""Where MLflow's UI keeps what a person chose in the browser, and what is chosen if nothing was."""
SCRIPT = f"""<script>try {{
  for (const [key, value] of Object.entries({json.dumps(CHOICES)}))
    if (localStorage.getItem(key) === null) localStorage.setItem(key, value);
}} catch (error) {{}}
  if (!location.hash) location.replace("#/" + FIRST);</script>"""
FIRST_PAGE = "AUGSEARCH_FIRST_PAGE"
"""Where the page opens whose address names none, after `#/`."""


def create_app() -> Any:
    """The app that `mlflow ui --app-name augsearch` serves; a FastAPI."""
    from mlflow.server import app as pages

    with warnings.catch_warnings(action="ignore"):  # of MLflow's own parts
        from mlflow.server.fastapi_app import app
    pages.after_request(_for_training)
    return app


def _for_training(response: Any) -> Any:
    """The page that all others are drawn in, with the choices made before it is drawn."""
    from flask import request

    if request.path == "/" and response.mimetype == "text/html" and response.status_code == 200:
        response.direct_passthrough = False
        page = response.get_data(as_text=True)
        first = json.dumps(os.environ.get(FIRST_PAGE, "")).replace("<", "\\u003c")
        response.set_data(page.replace("<head>", f"<head>{SCRIPT.replace('FIRST', first)}", 1))
        response.headers.pop("ETag", None)  # it is of the file
    return response
