"""Small studies as tests run them, and what MLflow has of them."""

from small_study import small_config, small_images, small_space

from augsearch.progress import Quiet
from augsearch.tracking.client import client_for, tracking_uri
from augsearch.verbs.run import run_study

STORAGE = "sqlite:///augsearch.db"


class Heard(Quiet):
    """Keeps what a study said."""

    def __init__(self):
        self.warnings, self.ended = [], []

    def warn(self, sentence):
        self.warnings.append(sentence)

    def run_ended(self, run, score, remark):
        self.ended.append(run)


def run(trials=4, seed=0, name="small", learning_rate=0.002, progress=None, parallel=1, **more):
    return run_study(
        more.pop("space", small_space()),
        data=more.pop("data", None) or small_images(),
        study=small_config(learning_rate, parallel),
        trials=trials,
        seed=seed,
        name=name,
        device="cpu",
        progress=progress,
        **more,
    )


def mirrored(study="small") -> dict[str, object]:
    client = client_for(tracking_uri())
    experiment = client.get_experiment_by_name("augsearch")
    runs = client.search_runs(
        [experiment.experiment_id], f"tags.`augsearch.study` = '{study}'", max_results=1000
    )
    return {r.data.tags["augsearch.key"]: r for r in runs}
