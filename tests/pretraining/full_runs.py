"""Full pretrainings that take a second."""

from small_study import small_config

from augsearch.model_sections import FullConfig
from augsearch.progress import Quiet
from augsearch.study_file import StudyConfig


def full_config(**full) -> StudyConfig:
    """The small study's settings with a full pretraining of twelve steps."""
    settings = {"steps": 12, "probe_every": 4, "checkpoint_every": 4, **full}
    return small_config().model_copy(update={"full": FullConfig(**settings)})


class StopsAt(Quiet):
    """Ends the process's work at a step, as a crash would."""

    def __init__(self, step):
        self.at, self.notes = step, []

    def step(self, run, step, steps, images_per_second):
        if step >= self.at:
            raise RuntimeError("pulled the plug")

    def note(self, sentence):
        self.notes.append(sentence)

    warn = note
