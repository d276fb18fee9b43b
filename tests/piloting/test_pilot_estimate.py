"""What a pilot will take, said before anything is trained."""

from dataclasses import replace
from pathlib import Path

import pytest
from piloting.pilots import go, pilot_config
from small_study import small_images

from augsearch.errors import ConfigError
from augsearch.piloting.estimate import in_sentence
from augsearch.piloting.request import PilotRequest
from augsearch.progress import Quiet
from augsearch.verbs.pilot import estimate_pilot

ASKED = PilotRequest(
    pilot_config(), data=small_images(), policy="SimCLR s=1", output="out", device="cpu", steps=2
)
WAYS, SEEDS, COUNTS = 4, 2, 2


def estimate(request=ASKED, **changes):
    return estimate_pilot(replace(request, **changes), Quiet())


@pytest.mark.long
def test_it_counts_what_is_left_and_leaves_nothing():
    before = estimate()
    assert not list(Path().iterdir())
    assert before.ways == WAYS and before.labels == (2, 4) and before.steps == 2
    assert before.pretrainings == 2 * SEEDS and before.classifiers == WAYS * SEEDS * COUNTS
    assert 0 < before.seconds < 600 and before.search_seconds == 0
    assert [(phase.runs, phase.done) for phase in before.phases] == [(4, 0), (16, 0)]
    # Relative to the mean of a phase.
    assert len(before.lengths) == 20 and sum(before.lengths.values()) == pytest.approx(20)
    said = in_sentence(before)
    assert "4 pretrainings of 2 steps and 16 classifiers on cpu" in said and "expected: " in said
    # More steps take longer: of pretrainings and of classifiers.
    longer = estimate(steps=20_000)
    assert longer.seconds > before.seconds + 10
    slow = pilot_config().finetune.model_copy(update={"steps": 20_000})
    assert estimate(study=pilot_config().model_copy(update={"finetune": slow})).seconds > (
        before.seconds + 10
    )


@pytest.mark.long
def test_what_is_done_is_not_counted_again_unless_it_is_forced():
    go(seeds=2)
    done = estimate()
    assert (done.pretrainings, done.classifiers, done.done) == (0, 0, 20)
    assert done.seconds == 0 and "nothing is left to train" in in_sentence(done)
    more = estimate(seeds=3)
    assert (more.pretrainings, more.classifiers, more.done) == (2, 8, 20)
    assert [(phase.runs, phase.done) for phase in more.phases] == [(6, 4), (24, 16)]
    assert estimate(force=True).pretrainings == 4
    with pytest.raises(ConfigError, match="holds another pilot"):
        estimate(seed=1)


@pytest.mark.long
def test_a_search_that_comes_first_is_in_it():
    found = estimate(policy=None, space="factory")
    assert not list(Path().iterdir())
    assert found.search_seconds > 0 and found.ways == WAYS
    said = in_sentence(found)
    assert said.startswith("pilot: at most 4 ways") and "a search that takes about" in said
