"""A study that an earlier version made is resumed, reported, certified, exported and begun from.

`tests/stored/study.db.gz` is the database of the small study with three trials, and `results.json`
what that version said of it, and after a fourth trial. It was made at commit f5d96dc, before the
rooms of the package moved.
"""

import gzip
import json
from pathlib import Path

import pytest
from small_study import small_config, small_images, small_space

from augsearch.search.result.result import load_result
from augsearch.space.policy import load_policy
from augsearch.store.database import open_storage
from augsearch.store.study_store import Store
from augsearch.verbs.certify import certify_study
from augsearch.verbs.export import write_export
from augsearch.verbs.report import report_study
from augsearch.verbs.run import run_study

STORED = Path(__file__).parents[1] / "stored"


@pytest.fixture
def then():
    """What the earlier version said, by number of trials; its database lies in this directory."""
    Path("augsearch.db").write_bytes(gzip.decompress((STORED / "study.db.gz").read_bytes()))
    return json.loads((STORED / "results.json").read_text())


def resumed(trials):
    return run_study(
        small_space(),
        data=small_images(),
        study=small_config(),
        trials=trials,
        name="before",
        device="cpu",
    )


@pytest.mark.long
def test_the_same_command_finds_everything_done_and_says_what_was_said(then):
    before = Path("augsearch.db").stat().st_size
    result = resumed(3).model_dump(mode="json")
    store = Store(open_storage("sqlite:///augsearch.db"), "before")
    assert len(store.trials()) == 3
    wanted = then["three"]
    for part in ("digests", "trials"):
        assert result[part] == wanted[part]
    said = {k: result["verdict"][k] for k in wanted["verdict"]}
    assert said.pop("sentence")  # in today's words
    assert said == {k: v for k, v in wanted["verdict"].items() if k != "sentence"}
    kept = wanted["policies"][0].keys()
    assert [{k: p[k] for k in kept} for p in result["policies"]] == wanted["policies"]
    assert Path("augsearch.db").stat().st_size < 1.1 * before  # nothing was trained again


@pytest.mark.long
def test_it_goes_on_and_hands_on_its_answer(then):
    result = resumed(4)
    assert sum(result.trials.values()) == 4
    known = {p["name"]: p for p in then["four"]["policies"]}
    for policy in result.policies:  # what both versions trained: scores of other CPUs may differ
        if policy.kind != "candidate":
            assert policy.digest == known[policy.name]["digest"]
            assert list(policy.confirmed_scores) == known[policy.name]["confirmed_scores"]
    page = report_study("before", data=small_images())
    assert result.verdict.sentence in page.read_text()
    policy = load_policy("runs/before/policy.yaml")
    assert policy.digest == result.digests["policy"]
    write_export(policy, "kornia", "views.py", image_size=16)
    assert "class " in Path("views.py").read_text()
    assert load_result("runs/before").verdict == result.verdict
    certificate = certify_study("before", data=small_images(), random=2, seeds=1)
    assert certificate.sentence
