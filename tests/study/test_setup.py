"""What is refused before any work."""

import os
from pathlib import Path

import pytest
from small_study import small_space
from studying import run

from augsearch.errors import ConfigError, OutputError, StudyError, TrialFailure


def test_another_space_under_the_same_name_is_refused_with_the_difference(small_here):
    wider = small_space().model_dump(mode="json", exclude_none=True)
    wider["ops"][1]["hue"] = {"low": 0.0, "high": 0.25}
    with pytest.raises(StudyError, match=r"color_jitter\.hue\.high: 0\.5 there, 0\.25 here"):
        run(space=type(small_space()).model_validate(wider))
    with pytest.raises(StudyError, match="seed: 0 there, 1 here"):
        run(seed=1)


def test_a_learning_rate_at_which_nothing_trains_is_named_before_the_search():
    with pytest.raises(TrialFailure, match="learning rate"):
        run(learning_rate=1e30)


@pytest.mark.parametrize(("trials", "name"), [(0, "x"), (1, "../x"), (1, "a b")])
def test_impossible_requests_are_refused(trials, name):
    with pytest.raises(ConfigError):
        run(trials=trials, name=name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_output_directory_is_refused_before_any_work(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        run(output=tmp_path / "locked")


def test_an_output_that_is_a_file_is_refused_before_any_work(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="taken"):
        run(output=tmp_path / "taken")


def test_an_old_file_store_is_named_before_any_work():
    Path("mlruns/0").mkdir(parents=True)
    Path("mlruns/0/meta.yaml").write_text("name: old")
    with pytest.raises(StudyError, match="MLFLOW_TRACKING_URI"):
        run()
