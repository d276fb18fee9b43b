"""What docs/composition.md was drawn with is still valid input."""

from pathlib import Path

from augsearch.space.space import load_space
from augsearch.study_file import load_study_config

FILES = Path(__file__).parents[2] / "benchmarks" / "ablations"


def test_the_space_of_figure_5_and_its_study_can_be_loaded():
    assert len(load_space(FILES / "figure5.yaml").ops) == 7
    assert load_study_config(FILES / "study.yaml").pretrain.steps == 600
