"""The tables that a finished study writes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from augsearch.bench.outcome import Scored
from augsearch.data.splits.splits import content_marks
from augsearch.search.confirm.confirmation import sealed_images
from augsearch.search.confirm.failures import Judged
from augsearch.search.result.result import StudyResult
from augsearch.store.runs import CONFIRMATION
from augsearch.store.study_store import Store
from augsearch.study.setup import Setup


def results_table(result: StudyResult) -> pd.DataFrame:
    rows = []
    for policy in result.policies:
        low, high = policy.interval or (None, None)
        seeds_low, seeds_high = policy.confirmed_interval or (None, None)
        rows.append(
            {
                "policy": policy.name,
                "kind": policy.kind,
                "search_score": policy.search_score,
                "confirmed_mean": policy.confirmed_mean,
                "confirmed_low": low,
                "confirmed_high": high,
                "same_images_low": seeds_low,
                "same_images_high": seeds_high,
                **{f"recall {name}": value for name, value in policy.class_recall.items()},
            }
        )
    return pd.DataFrame(rows)


def split_table(setup: Setup) -> pd.DataFrame:
    """Which side of the seal each image is on; `unused` is unlabelled, in a sealed group. By
    `image` a file is known again, wherever it lies."""
    image_set, split = setup.image_set, setup.bench.split
    side = np.full(len(image_set), "unused", dtype=object)
    side[split.pool], side[split.test] = "pool", "test"
    names = [*image_set.classes, ""]  # UNLABELLED is -1
    return pd.DataFrame(
        {
            "path": image_set.paths,
            "label": [names[label] for label in image_set.labels],
            "group": image_set.groups,
            "side": side,
            "image": content_marks(image_set),
        }
    )


def label_draws_table(setup: Setup, result: StudyResult) -> pd.DataFrame:
    """The images whose labels each probe was fitted on, the same for every policy: in the search
    (seed 0) and for each seed of the confirmation."""
    bench, paths = setup.bench, setup.image_set.paths
    seeds: list[tuple[Scored, int]] = [("validation", 0)]
    seeds += [("test", seed) for seed in result.confirmation_seeds]
    rows = [
        (scored, seed, number, paths[row])
        for scored, seed in seeds
        for number, draw in enumerate(bench.label_draws(scored, seed))
        for row in draw.fit
    ]
    return pd.DataFrame(rows, columns=["scored_on", "seed", "draw", "path"])


def sealed_table(setup: Setup, store: Store, result: StudyResult) -> pd.DataFrame | None:
    """Every sealed image under the recommended policy and the one that it is compared with: how
    often either has it right, in [0, 1], and what other class it takes it for most
    often. None where that is not known."""
    images, compared = sealed_images(setup.bench), result.classes
    if images is None or compared is None:
        return None
    rows = setup.bench.scored_rows(setup.bench.split.test)
    image_set = setup.image_set
    columns: dict[str, object] = {
        "path": [image_set.picture_path(row) for row in rows],
        "label": [image_set.classes[label] for label in images.labels],
    }
    for name in (compared.ours, compared.against):
        judged = Judged.of(name, store.outcomes_of(CONFIRMATION, name), images)
        if judged is None:
            return None
        columns[f"right with {name}"] = judged.often.round(3)
        if judged.mistaken is not None:
            classes = (*image_set.classes, "")  # -1: never
            columns[f"mistaken with {name}"] = [classes[other] for other in judged.mistaken]
    return pd.DataFrame(columns)
