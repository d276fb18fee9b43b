"""How results, policies and spaces print, and what a notebook shows of them."""

import re

import pytest

import augsearch
from augsearch.notebook import Card
from augsearch.space.policy import Policy


def test_a_card_escapes_what_it_shows():
    card = Card("a < b", ("c & d",), ("<e>",), (("f > g",),)).html()
    assert "a &lt; b" in card and "c &amp; d" in card and "&lt;e&gt;" in card
    assert "f &gt; g" in card
    assert "<table>" not in Card("no rows", (), ("head",)).html()


def test_a_policy_is_a_line_and_a_table_of_its_operations():
    crop = {"op": "resized_crop", "scale_min": 0.25}
    noise = {"op": "gaussian_noise", "p": 0.5, "std": 0.1}
    policy = Policy.model_validate({"name": "mine", "ops": [crop, noise]})
    assert repr(policy) == str(policy)
    assert str(policy) == f"<Policy: mine ({policy.digest}): resized_crop, gaussian_noise>"
    rows = re.findall(r"<tr>(.*?)</tr>", policy._repr_html_())
    cells = [re.findall(r">([^<]*)</t[hd]>", row) for row in rows]
    assert cells[0] == ["operation", "acts on", "values"]
    assert cells[1] == ["resized_crop", "100 %", "scale_min 0.25, ratio 1.33"]
    assert cells[2] == ["gaussian_noise", "50 %", "std 0.1"]  # its grain is the default
    separate = Policy.model_validate({"view1": [crop], "view2": [noise]})
    assert "view 1: resized_crop, view 2: gaussian_noise" in str(separate)
    assert "(0" not in str(Policy(ops=())) and "nothing" in str(Policy(ops=()))


def test_a_space_shows_each_searched_number():
    space = augsearch.load_space("factory")
    assert str(space).startswith("<Space: factory: 13 searched numbers of resized_crop, ")
    page = space._repr_html_()
    for axis in space.axes():
        assert f">{axis.name}<" in page
    assert ">0.08 to 1<" in page
    assert ">0 or 0.5<" in page


@pytest.mark.long  # a study of its own where no other test has made it
def test_a_result_shows_verdict_advice_and_scores(small_here):
    result = small_here
    sentence = result.verdict.sentence
    assert sentence in str(result) and result.verdict.badge in str(result)
    assert sentence in str(result.verdict)
    page = augsearch.load_result("runs/small")._repr_html_()
    assert "<td" in page and "untrained encoder" in page
    assert "balanced accuracy, %" in page
    unconfirmed = sum(policy.confirmed_mean is None for policy in result.policies)
    assert page.count("not confirmed") == unconfirmed > 0
    assert "Files: runs/small" in page
    assert "schema_version" not in str(result)  # not the fields
