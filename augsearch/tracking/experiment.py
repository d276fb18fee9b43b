"""MLflow's experiment that all studies share, and how its pages open.

MLflow shows no metric in a list of runs until somebody chooses columns. Its saved views, which it
keeps as tags of the experiment, choose them beforehand. The tags' form was read off MLflow 3.17; a
version that does not know it ignores them. A view that nobody saved over is kept as this version
makes it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
import zlib
from collections.abc import Sequence
from typing import Any

from augsearch.errors import StudyError

EXPERIMENT = "augsearch"
STUDIES, TRIALS, CELLS = "augsearch-studies", "augsearch-trials", "augsearch-cells"
"""Keys of the saved views."""
VIEW = "mlflow.sharedViewState."

MOST_VIEWS = 30
"""With so many views there, a study gets none of its own: MLflow's menu ends at 40."""

WIDE = 220
WIDTHS = {
    "metrics.`confirmed_percent`": 150,
    "metrics.`score_percent`": 130,
    "metrics.`gain_points`": 110,
    "metrics.`rung_percent`": 120,
    "metrics.`seconds/total`": 120,
    "tags.`augsearch.verdict`": 160,
    "params.`kind`": 100,
    "params.`space`": 120,
    "params.`replicate`": 100,
    "params.`view1.order`": 500,
    "tags.`augsearch.policy`": 240,
    "tags.`augsearch.state`": 140,
    "tags.`augsearch.study`": 180,
    "attributes.`Dataset`": 200,
}
NOTE = "Each study is a run, its trials are child runs. *Views*, at the top right, lists both."
OLDER_NOTES = (
    "Each study is a run, its trials, baselines and confirmation runs are its children. *Views*, "
    "at the top right, lists studies with their verdicts, trials by score, and cells of ablations.",
)


class NeedsAPerson(StudyError):
    """MLflow answers, but cannot take anything until somebody does what the message says."""


def find_experiment(client: Any, *, deleted: bool = False) -> str | None:
    """The experiment's id; None if there is none yet, or only a deleted one and that is not
    asked for."""
    found = client.get_experiment_by_name(EXPERIMENT)
    return found.experiment_id if found and (deleted or not _is_deleted(found)) else None


def open_experiment(client: Any) -> str:
    """The experiment's id. What its pages need is added where it is missing, and otherwise left as
    people have made it.

    Raises:
        NeedsAPerson: it was deleted, and MLflow keeps its name until it is restored or removed.
    """
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        try:
            return str(client.create_experiment(EXPERIMENT, tags=_page_tags()))
        except MlflowException:
            found = client.get_experiment_by_name(EXPERIMENT)
            if found is None:
                raise
            # Another process made it meanwhile.
    check_not_deleted(client)
    for key, value in _page_tags().items():
        if _is_older(found.tags.get(key), value):
            client.set_experiment_tag(found.experiment_id, key, value)
    return str(found.experiment_id)


def _is_older(there: str | None, wanted: str) -> bool:
    """Whether a tag is missing, or as an older version made it and nobody has changed it since."""
    if there is None or there in OLDER_NOTES or there == "score":
        return True
    try:
        was, now = json.loads(there), json.loads(wanted)
        touched = was["updatedAt"] != was["createdAt"]
        return not touched and (was["name"], was["state"]) != (now["name"], now["state"])
    except (ValueError, TypeError, KeyError):
        return False


def keep_view_of(client: Any, experiment: str, study: str, columns: Sequence[str]) -> None:
    """A view of a study's trials, best first.

    Args:
        columns: parameters that are worth one.
    """
    there = client.get_experiment(experiment).tags
    tags = _trials_view(
        view_of(study),
        f"Trials of {study}",
        f'tags."augsearch.kind" = "trial" AND tags."augsearch.study" = "{study}"',
        [*(f"params.`{name}`" for name in columns), "tags.`augsearch.state`"],
    )
    for key, value in tags.items():
        room = key in there or sum(one.startswith(VIEW) for one in there) < MOST_VIEWS
        if room and _is_older(there.get(key), value):
            client.set_experiment_tag(experiment, key, value)


def drop_view_of(client: Any, study: str) -> None:
    """The view of a study that is deleted goes, too."""
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None and (key := VIEW + view_of(study)) in found.tags:
        client.delete_experiment_tag(found.experiment_id, key)


def view_of(study: str) -> str:
    """Key of the view of a study's trials."""
    return f"augsearch-trials-{hashlib.sha256(study.encode()).hexdigest()[:12]}"


def check_not_deleted(client: Any) -> None:
    """Raises NeedsAPerson if the experiment lies in MLflow's bin."""
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None and _is_deleted(found):
        number, uri = found.experiment_id, client.tracking_uri
        raise NeedsAPerson(
            f"its experiment {EXPERIMENT!r} has been deleted; restore it with "
            f"`MLFLOW_TRACKING_URI={uri} mlflow experiments restore --experiment-id {number}`, or "
            f"remove it for good with `MLFLOW_TRACKING_URI={uri} mlflow gc --backend-store-uri "
            f"{'DATABASE' if uri.startswith('http') else uri} --experiment-ids {number}`, and a "
            "new one is made"
        )


def _is_deleted(experiment: Any) -> bool:
    return bool(experiment.lifecycle_stage == "deleted")


def view_path(experiment: str, view: str) -> str:
    """Where MLflow's UI shows a saved view, after the `#/` of its address."""
    return f"experiments/{experiment}/runs?viewStateShareKey={view}&workflowType=machine_learning"


def _page_tags() -> dict[str, str]:
    return {
        "mlflow.note.content": NOTE,
        # Else MLflow opens it among the pages for language models.
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.experiment.primaryMetric.name": "score_percent",
        "mlflow.experiment.primaryMetric.greaterIsBetter": "True",
        **_view(
            STUDIES,
            "Studies",
            'tags."augsearch.key" = "study"',
            "attributes.start_time",
            [
                "metrics.`confirmed_percent`",
                "metrics.`gain_points`",
                "tags.`augsearch.verdict`",
                "params.`kind`",
                "params.`space`",
                "attributes.`Dataset`",
                "attributes.`Models`",
            ],
        ),
        **_trials_view(
            TRIALS,
            "Trials by score",
            'tags."augsearch.kind" = "trial"',
            ["tags.`augsearch.study`", "tags.`augsearch.state`", "params.`view1.order`"],
        ),
        **_view(
            CELLS,
            "Ablation cells by score",
            'tags."augsearch.kind" = "ablation"',
            "metrics.`score_percent`",
            [
                "metrics.`score_percent`",
                "tags.`augsearch.policy`",
                "params.`replicate`",
                "tags.`augsearch.study`",
                "params.`view1.order`",
            ],
        ),
    }


def _trials_view(key: str, name: str, search: str, columns: Sequence[str]) -> dict[str, str]:
    """Trials by score, with a few numbers first."""
    score = "metrics.`score_percent`"
    first = [score, "metrics.`gain_points`", "metrics.`seconds/total`"]
    return _view(key, name, search, score, [*first, *columns])


def _view(
    key: str, name: str, search: str, order_by: str, columns: Sequence[str]
) -> dict[str, str]:
    """A saved view of the list of runs, highest values of `order_by` first."""
    state = {
        "searchFilter": search,
        "orderByKey": order_by,
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(columns),
        "columnOrder": list(columns),
        "columnWidths": {**dict.fromkeys(columns, WIDE), **WIDTHS},
        "isAccordionReordered": True,  # else sections are sorted by name
        "compareRunSections": [{"uuid": "augsearch", "name": "The search", "display": True}],
        "compareRunCharts": [
            _chart("LINE", "rung_percent"),
            _chart("LINE", "loss"),
            _chart("BAR", "score_percent"),
        ],
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    made = int(time.time() * 1000)
    content = {"name": name, "createdAt": made, "updatedAt": made, "state": f"deflate;{packed}"}
    return {VIEW + key: json.dumps(content)}


def _chart(kind: str, metric: str) -> dict[str, Any]:
    """A chart of up to ten runs; a line goes by optimiser step."""
    line = {
        "xAxisKey": "step",
        "yAxisKey": "metric",
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "range": {},
        "lineSmoothness": 0,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }
    return {
        "uuid": f"augsearch-{metric}",
        "type": kind,
        "metricSectionId": "augsearch",
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "runsCountToCompare": 10,
        **(line if kind == "LINE" else {}),
    }
