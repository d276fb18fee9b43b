"""A study whose report and answer are read."""

import pytest
from reported import TRIALS
from shared_studies import copy_study
from small_study import small_config, small_images, small_space

from augsearch.verbs.run import run_study


@pytest.fixture(scope="session")
def finished(tmp_path_factory, finished_small):
    """A directory with the study `small`, run to its end."""
    directory = tmp_path_factory.mktemp("reported")
    copy_study(finished_small, directory)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.setenv("AUGSEARCH_CACHE", str(directory / "cache"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        run_study(
            small_space(),
            data=small_images(),
            study=small_config(),
            trials=TRIALS,
            name="small",
            device="cpu",
        )
    return directory
