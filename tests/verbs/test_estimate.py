"""What a dry run says of a study's cost."""

from pathlib import Path

import pytest
from small_study import small_config, small_images, small_space

from augsearch.space.space import load_space
from augsearch.verbs.run import estimate_study

SLOW = """\
import time
from augsearch import CustomOp, Parameter


def wait(images, u, values, field):
    time.sleep(0.05)
    return images


waiting = CustomOp(
    doc="Takes its time.",
    parameters=(Parameter("seconds", 0, 1, "for show", identity=0, default=0.5),),
    slots=1,
    apply=wait,
)
"""


@pytest.fixture
def slow_space():
    Path("slow_ops.py").write_text(SLOW)
    Path("slow.yaml").write_text(
        "ops: [{op: custom, of: slow_ops.py:waiting, parameters: {seconds: {low: 0.1, high: 1}}}]"
    )
    return load_space("slow.yaml")


def estimated(space, **search):
    config = small_config()
    config = config.model_copy(update={"search": config.search.model_copy(update=search)})
    return estimate_study(space, data=small_images(), study=config, device="cpu")


def test_cheap_views_are_not_worth_a_word():
    cheap = estimated(small_space())
    assert cheap.views == ""
    runs = 4 + 4 + 3 * 3  # trials, baselines, confirmation
    assert 8 < cheap.starting_seconds < 8 + runs


def test_views_that_cost_more_than_the_encoder_are_named_and_counted(slow_space):
    dear = estimated(slow_space)
    assert "the views of a step take about " in dear.views
    assert "search.cost_weight in the study file weighs score against it" in dear.views
    # 4 trials of 12 steps, of 0.1 s or more: two views, each a call.
    assert dear.seconds > 4 * 12 * 0.1


def test_a_weight_on_cost_shows_what_it_weighs():
    weighed = estimated(small_space(), cost_weight=2.0)
    assert weighed.views.endswith("; search.cost_weight is 2")
