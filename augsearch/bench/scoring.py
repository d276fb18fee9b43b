"""What a run's encoder is worth on the images of a bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from augsearch.bench.outcome import MOST_MISTAKES, Outcome, Scored
from augsearch.bench.seeds import derived_seed
from augsearch.data.imageset import UNLABELLED, ImageRows
from augsearch.evaluate.features import extract_features
from augsearch.evaluate.knn import knn_score
from augsearch.evaluate.probe import few_label_probe, full_probe
from augsearch.evaluate.shared_views import FEWEST, IMAGES, Shown, label_free_scores
from augsearch.simclr.collapse import check_collapse
from augsearch.simclr.encoders.build import Encoder
from augsearch.simclr.pretrain import Pretraining

if TYPE_CHECKING:
    from augsearch.bench.bench import Bench


def features_of(bench: Bench, encoder: Encoder, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """`[N, D]` with the features of `rows`; the other rows are zero and must not be used."""
    images = ImageRows(bench.image_set.images, rows)
    found = extract_features(encoder, images, bench.mean, bench.std, device=bench.device)
    features = np.zeros((len(bench.image_set), found.shape[1]), dtype=np.float32)
    features[rows] = found
    return features


def _scored_rows(bench: Bench, scored: Scored) -> NDArray[np.int64]:
    rows = bench.split.pool
    if scored == "test":
        rows = np.concatenate([rows, bench.split.test])
    return labelled(bench, rows)


def labelled(bench: Bench, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the rows that have a label."""
    found: NDArray[np.int64] = rows[bench.image_set.labels[rows] != UNLABELLED]
    return found


def rung_score(bench: Bench, run: Pretraining, scored: Scored, replicate: int) -> float:
    """What a trial is compared by on its way."""
    config = bench.config.evaluate
    if config.label_free:
        return label_free(bench, run, scored)[config.score]
    features = features_of(bench, run.encoder, _scored_rows(bench, scored))
    draws = bench.label_draws(scored, replicate)
    pictures = bench.image_set.pictures
    return few_label_probe(features, bench.image_set.labels, draws, config, pictures).score


def outcome_of(
    bench: Bench, run: Pretraining, scored: Scored, replicate: int, *, check: bool
) -> Outcome:
    """Every score of a run's encoder; what training itself showed is left empty.

    Raises:
        TrialFailure: the features collapsed, if that is to be checked.
    """
    rows = _scored_rows(bench, scored) if bench.draws else _shown_rows(bench, scored)
    features = features_of(bench, run.encoder, rows)
    if check:
        check_collapse(features[rows])
    free = label_free(bench, run, scored)
    labels, pictures = bench.image_set.labels, bench.image_set.pictures
    config = bench.config.evaluate
    # Hundreds of trials need not keep what only a comparison over seeds asks for.
    side = bench.split.test if scored == "test" else bench.split.pool
    kept = bench.scored_rows(side) if scored == "test" or replicate else side[:0]
    few = full = knn = None
    recall: dict[str, float] = {}
    if bench.draws:
        draws = bench.label_draws(scored, replicate)
        few = few_label_probe(features, labels, draws, config, pictures)
        fit, score = _all_labels(bench, scored)
        full = full_probe(features, labels, fit, score, config, pictures)
        knn = knn_score(features, labels, fit, score, config, pictures)
        recall = dict(zip(bench.image_set.classes, few.class_recall.tolist(), strict=True))
    return Outcome(
        score=few.score if few and not config.label_free else free[config.score],
        draw_scores=few.draw_scores if few else (),
        full_probe=full,
        knn=knn,
        class_recall=recall,
        curve=(),
        losses=(),
        steps=0,
        images_per_second=0.0,
        seconds={},
        peak_memory_mb=0.0,
        label_free=free,
        hits=tuple(few.hits[kept].tolist()) if few else (),
        seen=tuple(few.seen[kept].tolist()) if few and scored == "validation" else (),
        mistakes=_mistakes(few.guesses[kept], labels[kept]) if few and scored == "test" else None,
    )


def _mistakes(
    guesses: csr_array, labels: NDArray[np.int64]
) -> tuple[tuple[int, int, int], ...] | None:
    """Which other classes images were taken for, as `Outcome` keeps it.

    Args:
        guesses: `[n, K]` how often each image was taken for each class.
        labels: `[n]` what they are.
    """
    taken = guesses.tocoo()
    wrong = taken.col != labels[taken.row]
    if wrong.sum() > MOST_MISTAKES:
        return None
    found = np.stack([taken.row[wrong], taken.col[wrong], taken.data[wrong]], axis=1)
    return tuple(sorted((place, guess, times) for place, guess, times in found.tolist()))


def quick_scores(bench: Bench, run: Pretraining) -> dict[str, float]:
    """`probe` (few labels) and `knn` of a run's encoder as it is, on validation images; empty
    without labels. Scores lie in [0, 1]."""
    if not bench.draws:
        return {}
    features = features_of(bench, run.encoder, _scored_rows(bench, "validation"))
    fit, score = _all_labels(bench, "validation")
    labels, pictures = bench.image_set.labels, bench.image_set.pictures
    config, draws = bench.config.evaluate, bench.draws["validation"]
    return {
        "probe": few_label_probe(features, labels, draws, config, pictures).score,
        "knn": knn_score(features, labels, fit, score, config, pictures),
    }


def _shown_rows(bench: Bench, scored: Scored) -> NDArray[np.int64]:
    """What label-free scores look at: images of that side, drawn by the data's digest."""
    side = bench.split.test if scored == "test" else bench.split.pool
    rng = np.random.default_rng(derived_seed(0, "label-free", bench.image_set.digest))
    return rng.permutation(side)[:IMAGES]


def label_free(bench: Bench, run: Pretraining, scored: Scored) -> dict[str, float]:
    """Scores that need no label; empty where there are too few images."""
    rows = _shown_rows(bench, scored)
    if len(rows) < FEWEST:
        return {}
    return label_free_scores(
        run.encoder,
        run.projection_head,
        Shown(
            images=ImageRows(bench.image_set.images, rows),
            groups=bench.image_set.groups[rows],
            mean=bench.mean,
            std=bench.std,
        ),
        device=bench.device,
        executor=bench.config.compute.executor,
        temperature=bench.config.pretrain.temperature,
    )


def _all_labels(bench: Bench, scored: Scored) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the probe with all labels is fitted and scored: pool against test, or, while the
    test is sealed, two thirds of the pool's groups against the rest."""
    pool = _scored_rows(bench, "validation")
    if scored == "test":
        return pool, labelled(bench, bench.split.test)
    score = bench.draws["validation"][0].score
    groups = bench.image_set.groups
    held = np.isin(groups[pool], np.unique(groups[score])[::3])
    return pool[~held], pool[held]
