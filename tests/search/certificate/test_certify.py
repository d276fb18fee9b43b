"""What short runs are worth: the statistics, and the verb on a real study."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
from small_study import small_config, small_images, small_space

from augsearch.errors import StudyError
from augsearch.progress import Quiet
from augsearch.search.certificate.certificate import Tried, certify_scores
from augsearch.search.certificate.rerun import MIDDLE_SEED
from augsearch.stats.ranks import reliability, slope, spearman
from augsearch.store.database import open_storage
from augsearch.store.study_store import Store
from augsearch.study.reopen import reopen
from augsearch.study_sections import CertifyConfig
from augsearch.tracking.client import client_for, tracking_uri
from augsearch.verbs.certify import certify_study
from augsearch.verbs.run import run_study

pytestmark = pytest.mark.long

STORAGE = "sqlite:///augsearch.db"


def tried(short_noise, middle_noise, bias=0.0, count=24, chosen=0):
    """Policies whose truth is spread over ten points, with budgets of 200 and 800 steps."""
    rng = np.random.default_rng(0)
    truth, strength = rng.uniform(0.6, 0.7, count), rng.uniform(0, 2, count)

    def policy(number):
        def noisy(sd, size=None):
            return truth[number] + rng.normal(0, sd, size)

        return Tried(
            name=f"trial {number}",
            chosen=number < chosen,
            strength=strength[number],
            short=noisy(short_noise) - bias * strength[number],
            scores={200: noisy(middle_noise, 2), 800: noisy(0.001, 2)},
        )

    return [policy(number) for number in range(count)]


def test_short_runs_that_rank_well_are_trusted_above_their_noise():
    found = certify_scores("s", 100, tried(short_noise=0.008, middle_noise=0.005))
    assert found.sentence.startswith("Short runs rank this space well enough to trust differences")
    assert found.advice == "Keep the budget."
    assert found.lead_interval[0] < 0.92 < found.lead_interval[1]  # of 1, noise takes 8 %
    # 1.645 times the standard deviation of the difference of two short scores
    assert found.budgets[0].doubt == pytest.approx(100 * 1.645 * np.sqrt(2) * 0.008, rel=0.4)
    assert [budget.steps for budget in found.budgets] == [100, 200]


def test_short_runs_that_rank_badly_ask_for_the_budget_that_does():
    found = certify_scores("s", 100, tried(short_noise=0.1, middle_noise=0.005))
    assert "do not rank this space" in found.sentence
    assert found.advice.startswith("Lengthen trials to 200 steps")
    found = certify_scores("s", 100, tried(short_noise=0.1, middle_noise=0.1))
    assert found.advice.startswith("Lengthen trials to 800 steps")
    # Of few policies, a high correlation of the budget between is no proof either.
    found = certify_scores("s", 100, tried(short_noise=0.1, middle_noise=0.012, count=8))
    between = found.budgets[1]
    assert between.spearman >= 0.8 and between.interval[0] < 0.5
    assert found.advice.startswith("Lengthen trials to 800 steps")


def test_a_good_ranking_of_few_policies_is_not_yet_trusted():
    found = certify_scores("s", 100, tried(short_noise=0.012, middle_noise=0.005, count=8))
    trial = found.budgets[0]
    assert trial.spearman >= 0.8 and trial.interval[0] < 0.5
    assert "8 policies are too few to be sure" in found.sentence
    assert "certify with more policies" in found.advice


def test_the_bias_of_short_runs_is_seen_and_signed():
    weak = certify_scores("s", 100, tried(0.004, 0.004, bias=0.02))
    assert weak.bias == pytest.approx(2, abs=0.5)
    assert "favour weak policies" in weak.sentence
    strong = certify_scores("s", 100, tried(0.004, 0.004, bias=-0.02))
    assert "favour strong policies" in strong.sentence
    assert "favour" not in certify_scores("s", 100, tried(0.004, 0.004)).sentence


def test_chosen_policies_count_for_the_regret_and_not_for_the_ranking():
    policies = tried(0.05, 0.01, chosen=10)
    found = certify_scores("s", 100, policies)
    assert found.policies == 14
    long = {policy.name: np.mean(policy.scores[800]) for policy in policies}
    first = max(policies, key=lambda policy: policy.short).name
    assert found.regret == pytest.approx(100 * (max(long.values()) - long[first]), abs=0.2)
    with pytest.raises(ValueError, match="too few"):
        certify_scores("s", 100, tried(0.05, 0.01, count=9, chosen=4))


def test_regret_is_no_luck_of_the_seeds_that_chose():
    """Policies that are all alike: none is better than the one that the search chose."""
    rng = np.random.default_rng(3)
    regrets = []
    for _ in range(200):
        policies = [
            Tried(f"trial {n}", False, rng.uniform(), rng.normal(0.7, 0.02),
                  {200: rng.normal(0.7, 0.02, 1).tolist(),
                   800: rng.normal(0.7, 0.02, 2).tolist()})
            for n in range(12)
        ]  # fmt: skip
        regrets.append(certify_scores("s", 100, policies).regret)
    assert np.mean(regrets) == pytest.approx(0, abs=0.5)


def test_reliability_finds_the_share_of_variance_that_was_planted():
    rng = np.random.default_rng(1)
    policies, seeds = rng.normal(0, 2, (2000, 1)), rng.normal(0, 3, (1, 100))
    found = reliability(policies + seeds + rng.normal(0, 1, (2000, 100)))
    assert found.icc.value == pytest.approx(0.8, abs=0.03)
    assert found.icc.low < found.icc.value < found.icc.high
    assert found.sd_between == pytest.approx(2, abs=0.15)
    assert found.sd_within == pytest.approx(1, abs=0.03)
    assert found.shared.value == pytest.approx(0.1, abs=0.05)
    assert found.shared.low < found.shared.value < found.shared.high < 0.2


def test_intervals_cover_what_is_true_as_often_as_they_say():
    rng = np.random.default_rng(2)
    pairs = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], (400, 20))
    truth = 6 / np.pi * np.arcsin(0.35)  # Spearman's rho of a bivariate normal
    ranks = [spearman(*pair.T) for pair in pairs]
    assert 0.91 < np.mean([r.low < truth < r.high for r in ranks]) < 0.99
    lines = [slope(*pair.T) for pair in pairs]
    assert 0.92 < np.mean([s.low < 0.7 < s.high for s in lines]) < 0.98


@pytest.fixture
def finished(small_here):
    """A study of six trials that has ended."""
    config = small_config()
    wanted = CertifyConfig(top=1, random=4, budgets=(2, 3), seeds=1)
    search = config.search.model_copy(update={"trials": 6})
    config = config.model_copy(update={"certify": wanted, "search": search})
    run_study(small_space(), data=small_images(), study=config, name="small", device="cpu")
    return config


@pytest.mark.long
def test_a_study_is_certified_and_goes_on_where_it_was_stopped(finished, monkeypatch):
    class Stopping(Quiet):
        ended = 0

        def run_ended(self, run, score, remark):
            self.ended += 1
            if self.ended == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        certify_study("small", data=small_images(), device="cpu", progress=Stopping())
    store = Store(open_storage(STORAGE), "small")
    kept = store.runs("certification")
    assert len(kept) >= 3
    certificate = certify_study("small", data=small_images(), device="cpu")
    runs = store.runs("certification")
    assert all(runs[key] == run for key, run in kept.items())
    # No seed of the longest runs judges itself; what the search had stopped is run to its end.
    seeds = {}
    for (_, seed), run in runs.items():
        seeds.setdefault(run.outcome.steps, set()).add(seed)
    assert seeds == {12: {0}, 24: {MIDDLE_SEED}, 36: {MIDDLE_SEED + 1}}
    stopped = {f"trial {t.number}" for t in store.finished() if t.state.name == "PRUNED"}
    ended = {name.partition(",")[0] for name, seed in runs if seed == 0}
    assert ended and ended <= stopped
    assert certificate.policies == 8  # four baselines and four random trials
    written = json.loads(Path("runs/small/certificate.json").read_text())
    assert written == certificate.model_dump(mode="json") == store.kept.certificate
    page = Path("runs/small/report.html").read_text()
    best = certificate.tried[0]
    scores = (best.short, best.mean(24), best.mean(36))
    row = "".join(f"<td>{100 * score:.1f}</td>" for score in scores)
    assert best.name == certificate.best and row in re.sub(r"\s+(?=<)", "", page)
    assert "The certificate" in page and certificate.sentence in html.unescape(page)
    client = client_for(tracking_uri())
    [experiment] = [e for e in client.search_experiments() if e.name == "augsearch"]
    [parent] = client.search_runs([experiment.experiment_id], "tags.`augsearch.key` = 'study'")
    note = parent.data.tags["mlflow.note.content"]
    assert certificate.sentence in note and store.kept.verdict in note
    assert parent.data.metrics["certificate/regret_points"] == pytest.approx(certificate.regret)
    # Once more changes nothing, and says it once.
    assert certify_study("small", data=small_images(), device="cpu") == certificate
    parent = client.get_run(parent.info.run_id)
    assert parent.data.tags["mlflow.note.content"] == note
    # More random trials than the study file says keep the runs, and are remembered.
    more = certify_study("small", random=5, data=small_images(), device="cpu")
    now = store.runs("certification")
    certified = {name.partition(",")[0] for name, _ in now}
    assert more.policies == 9 and now.items() >= runs.items()
    assert sum(name.startswith("trial") for name in certified) >= 5
    assert certify_study("small", data=small_images(), device="cpu") == more


def test_a_study_is_opened_again_with_its_own_images_only(finished):
    def open_with(data):
        return reopen("small", storage=STORAGE, data=data, device="cpu", progress=Quiet())

    setup = open_with(small_images())
    assert setup.config == finished
    with pytest.raises(StudyError, match="these are not the images of the study"):
        open_with(small_images(seed=5))
    with pytest.raises(StudyError, match="there is no study 'none'; stored: small"):
        reopen("none", storage=STORAGE, data=None, device="cpu", progress=Quiet())


@pytest.mark.slow
def test_too_few_trials_are_refused():
    config = small_config()
    run_study(small_space(), data=small_images(), study=config, trials=1, name="one", device="cpu")
    with pytest.raises(StudyError, match="too few to compare rankings"):
        certify_study("one", data=small_images(), device="cpu")
