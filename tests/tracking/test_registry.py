"""The recommended policy in MLflow's model registry, and what it does without augsearch."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import mlflow.models
import numpy as np
import pytest
import torch
from shared_studies import copy_study
from small_study import small_config, small_images, small_space

from augsearch.augment.baselines import simclr
from augsearch.progress import Quiet
from augsearch.space.policy import Policy, load_policy
from augsearch.tracking import registry
from augsearch.tracking.client import client_for
from augsearch.tracking.experiment import open_experiment
from augsearch.tracking.policy_model import PolicyModel, requirements
from augsearch.tracking.ui import landing_page
from augsearch.verbs.run import run_study
from augsearch.verbs.studies import delete_stored

STORAGE, NAME = "sqlite:///augsearch.db", "augsearch.small"
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "own_ops.md").read_text()
OWN_OP = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]

# No strength that a search of the seven baselines and the first points of a space could choose, so
# that it is never the winner itself, whatever the machine's rounding makes of a short run.
ANOTHER = simclr(0.37)

# Loads models and draws their views; the first argument is what must not be imported.
LOAD = """
import sys
sys.modules[sys.argv[1]] = None
import mlflow, numpy as np
mlflow.set_tracking_uri(sys.argv[2])
for uri, images, views in zip(sys.argv[3::3], sys.argv[4::3], sys.argv[5::3]):
    model = mlflow.pyfunc.load_model(uri)
    drawn = model.predict(np.load(images), params={"seed": 4, "image_size": 24})
    again = model.predict(np.load(images), params={"seed": 4, "image_size": 24})
    later = model.predict(np.load(images), params={"seed": 4, "step": 1, "image_size": 24})
    usual, anew = model.predict(np.load(images)), model.predict(np.load(images))
    assert not np.array_equal(drawn["view1"], later["view1"])
    assert not np.array_equal(usual["view1"], anew["view1"])
    if uri.startswith("models:"):  # a study's policy says what it was found on
        normal = model.predict(np.load(images), params={"seed": 4, "normalise": True})
        assert normal["view1"].min() < 0
    assert all(np.array_equal(drawn[name], again[name]) for name in drawn)
    np.savez(views, **drawn, usual=usual["view1"])
"""


class Heard(Quiet):
    def __init__(self):
        self.warnings = []

    def warn(self, sentence):
        self.warnings.append(sentence)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, finished_small):
    """A directory with a finished study named `small`."""
    directory = tmp_path_factory.mktemp("registered")
    copy_study(finished_small, directory)
    return directory


@pytest.fixture
def copied(finished, tmp_path, monkeypatch):
    """The same in this test's own directory, where it may be changed."""
    copy_study(finished, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return client_for(f"sqlite:///{tmp_path / 'copy' / 'mlflow.db'}")


def run(progress=None, name="small", **study):
    return run_study(
        small_space(),
        data=small_images(),
        study=small_config(),
        name=name,
        device="cpu",
        progress=progress,
        **study,
    )


def versions(client):
    return sorted(client.search_model_versions(f"name = '{NAME}'"), key=lambda v: int(v.version))


def the_run(client):
    experiment = client.get_experiment_by_name("augsearch").experiment_id
    [run] = client.search_runs([experiment], "tags.`augsearch.key` = 'study'")
    return run


def registration(policy: Policy, **changes) -> registry.Registration:
    wanted = registry.Registration(
        study="small",
        model=PolicyModel(policy, 16, np.zeros((1, 16, 16, 3), np.uint8)),
        about="about",
        describe=lambda uri: f"load {uri}",
        tags={"verdict": "better"},
        metrics={"confirmed_percent": 50.0},
        recommended=True,
    )
    return replace(wanted, **changes)


def test_a_finished_study_has_its_policy_registered(finished):
    client = client_for(f"sqlite:///{finished / 'mlflow.db'}")
    policy = load_policy(finished / "runs/small/policy.yaml")
    [version] = versions(client)
    assert (version.status, version.tags["policy_digest"]) == ("READY", policy.digest)
    assert version.tags["augsearch.study"] == "small"
    assert re.fullmatch(r"\d+\.\d %", version.tags["score"])
    verdict = the_run(client).data.tags["augsearch.verdict_code"]
    aliases = client.get_registered_model(NAME).aliases
    assert aliases == ({} if verdict == "measures_nothing" else {"recommended": 1})
    assert f'load_model("models:/{NAME}/1")' in version.description
    assert all(op.instance in version.description for op in policy.views[0])
    assert len(version.description) <= 5000

    study = the_run(client)
    [output] = study.outputs.model_outputs
    logged = client.get_logged_model(output.model_id)
    assert (logged.status, logged.source_run_id) == ("READY", study.info.run_id)
    assert logged.metrics[0].value == study.data.metrics["confirmed_percent"]
    saved = Path(logged.artifact_location)
    assert (saved / "artifacts/policy.yaml").read_bytes() == policy.to_yaml().encode()
    told = mlflow.models.Model.load(str(saved))
    assert [str(column.type) for column in told.signature.inputs] == ["uint8"]
    assert told.signature.outputs.input_names() == ["view1", "view2"]
    assert {param.name for param in told.signature.params} == {
        *("seed", "step", "image_size", "normalise")
    }
    assert told.saved_input_example_info is not None
    files = {path.name for path in saved.rglob("*") if path.is_file()}
    assert "two_views.py" in files
    assert "uv.lock" not in files
    assert not any(name.endswith(".pkl") for name in files)
    packages = (saved / "requirements.txt").read_text().split()
    assert {line.partition("==")[0] for line in packages} == {"kornia", "mlflow", "numpy", "torch"}


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::augsearch.errors.CarryOverWarning")
def test_models_draw_the_policy_s_views_without_augsearch(finished, tmp_path):
    """The study's, by its name; one with an operation of its own, separate views, grey images."""
    (tmp_path / "my_ops.py").write_text(OWN_OP)
    (tmp_path / "policy.yaml").write_text(
        "view1:\n"
        "  - {op: resized_crop}\n"
        "  - {op: custom, of: 'my_ops.py:banding', parameters: {gain: 0.3}}\n"
        "view2: [{op: gaussian_blur, sigma: 0.05}]\n"
    )
    cases = {
        f"models:/{NAME}/1": (load_policy(finished / "runs/small/policy.yaml"), 3),
        str(tmp_path / "own"): (load_policy(tmp_path / "policy.yaml"), 1),
    }
    arguments, images = [], {}
    for number, (uri, (policy, channels)) in enumerate(cases.items()):
        rng = np.random.default_rng(number)
        images[uri] = rng.integers(0, 256, (3, 30, 26, channels), dtype=np.uint8)
        np.save(tmp_path / f"{number}.npy", images[uri])
        if channels == 1:
            PolicyModel(policy, 16, images[uri]).save(Path(uri), "m-1", "r-1")
            assert (Path(uri) / "artifacts/my_ops.py").is_file()
        arguments += [uri, str(tmp_path / f"{number}.npy"), str(tmp_path / f"{number}.npz")]
    store = f"sqlite:///{finished / 'mlflow.db'}"
    command = [sys.executable, "-c", LOAD, "augsearch", store, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not re.search("warning", done.stderr, re.I), done.stderr
    for number, (uri, (policy, channels)) in enumerate(cases.items()):
        drawn = np.load(tmp_path / f"{number}.npz")
        batch = torch.from_numpy(images[uri]).permute(0, 3, 1, 2)
        wanted = policy.build(24, seed=4)(batch)
        for name, view in zip(("view1", "view2"), wanted, strict=True):
            assert drawn[name].shape == (3, 24, 24, channels)
            assert drawn[name].dtype == np.float32
            difference = np.abs(drawn[name] - view.permute(0, 2, 3, 1).numpy())
            assert difference.mean() < 1e-4, (uri, name)
        assert drawn["usual"].shape == (3, 16, 16, channels)


@pytest.mark.long
def test_the_same_command_again_makes_no_second_version(copied):
    before = versions(copied)
    heard = Heard()
    run(heard)
    assert heard.warnings == []
    after = versions(copied)
    assert [(v.version, v.source) for v in after] == [(v.version, v.source) for v in before]
    assert len(the_run(copied).outputs.model_outputs) == 1


def test_another_winner_is_another_version_and_an_old_one_gets_the_alias_back(copied):
    study, first = the_run(copied), load_policy("runs/small/policy.yaml")
    registry.register(copied, study, registration(ANOTHER))
    assert [v.version for v in versions(copied)] == [1, 2]
    assert copied.get_registered_model(NAME).aliases == {"recommended": 2}
    registry.register(copied, study, registration(first))
    assert [v.version for v in versions(copied)] == [1, 2]
    assert versions(copied)[0].description == f"load models:/{NAME}/1"
    assert copied.get_registered_model(NAME).aliases == {"recommended": 1}
    # A policy of a study that measured nothing is not what a pipeline should fetch.
    registry.register(copied, study, registration(simclr(0.5), recommended=False))
    assert copied.get_registered_model(NAME).aliases == {"recommended": 1}


def test_what_a_broken_connection_left_half_made_is_replaced(copied):
    study = the_run(copied)
    half = copied.create_logged_model(
        study.info.experiment_id,
        name="policy",
        source_run_id=study.info.run_id,
        tags={"augsearch.study": "small"},
    )
    registry.register(copied, study, registration(ANOTHER))
    left = copied.search_logged_models([study.info.experiment_id])
    assert half.model_id not in {model.model_id for model in left}
    assert {model.artifact_location for model in left} == {v.source for v in versions(copied)}


@pytest.mark.long
def test_a_registry_that_fails_costs_a_warning_and_the_next_run_catches_up(copied):
    copied.delete_registered_model(NAME)
    rename("registered_models", "out_of_reach")
    heard = Heard()
    run(heard)
    [warning] = heard.warnings
    assert "not in MLflow's model registry" in warning
    assert the_run(copied).info.status == "FINISHED"
    rename("out_of_reach", "registered_models")
    run(heard)
    assert len(heard.warnings) == 1
    assert len(versions(copied)) == 1


def rename(old: str, new: str) -> None:
    with sqlite3.connect("mlflow.db") as database:
        database.execute(f"ALTER TABLE {old} RENAME TO {new}")
    database.close()


def test_a_deleted_study_takes_its_versions_along_but_not_one_in_use(copied):
    study = the_run(copied)
    registry.register(copied, study, registration(ANOTHER))
    copied.set_registered_model_alias(NAME, "line_3", "1")
    deleted = delete_stored(STORAGE, "small")
    assert (deleted.versions, deleted.kept) == (1, (f"models:/{NAME}/1",))
    [kept] = versions(copied)
    assert Path(kept.source, "two_views.py").is_file()
    copied.delete_registered_model_alias(NAME, "line_3")
    assert registry.unregister(copied, study.info.experiment_id, "small").versions == 1
    assert copied.search_registered_models(f"name = '{NAME}'") == []
    assert copied.search_logged_models([study.info.experiment_id]) == []


def test_versions_that_somebody_else_made_under_the_name_are_left_alone(copied):
    theirs = copied.create_model_version(NAME, "/somewhere", tags={"team": "paint shop"})
    delete_stored(STORAGE, "small")
    assert [v.version for v in versions(copied)] == [theirs.version]


def test_the_ui_opens_on_the_studies_once_there_are_any(finished):
    there = f"sqlite:///{finished / 'mlflow.db'}"
    assert landing_page(there).startswith("experiments/1/runs?viewStateShareKey=augsearch-studies")
    assert landing_page("sqlite:///nothing.db") == "experiments?workflowType=machine_learning"
    assert not Path("nothing.db").exists()


def test_what_people_changed_on_the_experiment_s_page_stays(copied):
    experiment = copied.get_experiment_by_name("augsearch").experiment_id
    copied.set_experiment_tag(experiment, "mlflow.note.content", "ours")
    copied.delete_experiment_tag(experiment, "mlflow.experimentKind")
    assert open_experiment(copied) == experiment
    tags = copied.get_experiment(experiment).tags
    assert tags["mlflow.note.content"] == "ours"
    assert tags["mlflow.experimentKind"] == "custom_model_development"


def test_requirements_are_what_the_code_imports():
    code = "import os, torch.nn\nfrom yaml import safe_load\ndef f():\n    import numpy as np\n"
    found = [line.partition("==")[0] for line in requirements(code)]
    assert found == ["PyYAML", "numpy", "torch"]
    assert not any("+" in line for line in requirements(code))


@pytest.mark.filterwarnings("ignore::augsearch.errors.CarryOverWarning")
@pytest.mark.slow
def test_a_new_environment_with_the_model_s_requirements_is_enough(finished, tmp_path):
    """Made by uv from requirements.txt and nothing else."""
    client = client_for(f"sqlite:///{finished / 'mlflow.db'}")
    [version] = versions(client)
    began, venv = time.monotonic(), tmp_path / "venv"
    requirements_file = Path(version.source) / "requirements.txt"
    python = str(venv / "bin" / "python")
    uv = shutil.which("uv") or pytest.skip("uv is not installed")
    subprocess.run([uv, "venv", "--python", sys.executable, str(venv)], check=True)
    install = [uv, "pip", "install", "--python", python, "-r", str(requirements_file)]
    subprocess.run(install, check=True)
    images = np.random.default_rng(0).integers(0, 256, (3, 30, 26, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    arguments = [f"models:/{NAME}/1", str(tmp_path / "images.npy"), str(tmp_path / "views.npz")]
    store = f"sqlite:///{finished / 'mlflow.db'}"
    command = [python, "-c", LOAD, "augsearch", store, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    print(f"{time.monotonic() - began:.0f} s")
    views = np.load(tmp_path / "views.npz")
    policy = load_policy(finished / "runs/small/policy.yaml")
    wanted = policy.build(24, seed=4)(torch.from_numpy(images).permute(0, 3, 1, 2))
    for name, view in zip(("view1", "view2"), wanted, strict=True):
        assert np.abs(views[name] - view.permute(0, 2, 3, 1).numpy()).mean() < 1e-4
