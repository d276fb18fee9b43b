"""The report of a study of two aims."""

from pathlib import Path

import pytest
from reported import text_of
from small_study import small_config, small_images, small_space
from studying import STORAGE

import augsearch
from augsearch.search.result.outputs import front_points
from augsearch.store.database import open_storage
from augsearch.store.frozen_trials import trial_outcome
from augsearch.store.stored import stored_config
from augsearch.store.study_store import Store
from augsearch.study_sections import NoPrunerConfig
from augsearch.tracking.client import client_for, tracking_uri
from augsearch.verbs.run import run_study


def mirrored_trials(study):
    client = client_for(tracking_uri())
    experiment = client.get_experiment_by_name("augsearch").experiment_id
    wanted = f"tags.`augsearch.study` = '{study}' AND tags.`augsearch.kind` = 'trial'"
    runs = client.search_runs([experiment], wanted)
    return {int(run.data.tags["augsearch.trial"]): run for run in runs}


@pytest.mark.long
def test_two_aims_show_their_front_in_full_scores():
    """Also where the search took a price off: baselines and trials are shown alike."""
    config = small_config()
    searching = config.search.model_copy(
        update={"aims": ("score", "cost"), "pruner": NoPrunerConfig(), "cost_weight": 500.0}
    )
    result = run_study(
        small_space(),
        data=small_images(),
        study=config.model_copy(update={"search": searching}),
        trials=3,
        name="two",
        device="cpu",
    )
    page = text_of(Path("runs/two/report.html"))
    assert "<h2>Two aims at once</h2>" in page
    assert "less 500 points for each millisecond" in page
    store = Store(open_storage(STORAGE), "two")
    front = store.front()
    section = page.partition('<section id="front">')[2].partition("</section>")[0]
    assert section.count('<th scope="row"') == len(front)
    full = {t.number: trial_outcome(t).score for t in store.trials()}
    assert all(t.values[0] < full[t.number] for t in store.trials())
    costs = {t.number: t.values[1] for t in store.trials()}
    assert [t.number for t in front] == sorted(
        (
            a
            for a in full
            if not any(
                full[b] >= full[a] and costs[b] <= costs[a] and (full[b], costs[b]) !=
                (full[a], costs[a])
                for b in full
            )
        ),
        key=lambda number: -full[number],
    )  # fmt: skip
    shown = [p.values["score"] for p in result.front]
    assert shown == [full[t.number] for t in front]
    points = {p.label: p.y / 100 for p in front_points(store, stored_config(store), 3)}
    baselines = {n: o.score for (n, _), o in store.outcomes("baseline").items()}
    for label, height in points.items():
        own = full[int(label)] if label.isdigit() else baselines[label]
        assert height == pytest.approx(own)
    children = mirrored_trials("two")
    for number, run in children.items():
        assert run.data.metrics["score_percent"] == pytest.approx(100 * full[number], abs=0.01)
        assert run.data.metrics["price_points"] > 0
    frame = augsearch.study_frame("two")
    frame = frame[frame["kind"] == "trial"].set_index("name")
    for number, score in full.items():
        assert frame.loc[f"trial {number}", "score"] == pytest.approx(score)
    # Stopped here and given again, it is estimated by what is left.
    left = augsearch.estimate_study(
        small_space(),
        data=small_images(),
        study=config.model_copy(update={"search": searching}),
        trials=4,
        name="two",
        device="cpu",
    )
    assert {p.name: (p.runs, p.done) for p in left.phases} == {
        "baselines": (5, 5),
        "trials": (4, 3),
        "confirmation": (20, 20),
    }
