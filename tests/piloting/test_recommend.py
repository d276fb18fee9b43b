"""What a pilot recommends, and in which words."""

from piloting.pilots import curve, gain

from augsearch.piloting.recommend import needed, recommend
from augsearch.piloting.result import SameScore

ALONE = (curve("scratch", 0.60, 0.70), curve("frozen", 0.75, 0.78))
OURS = (
    curve("simclr_baseline", 0.78, 0.79, simclr="A"),
    curve("simclr_found", 0.8, 0.8, simclr="B"),
)


def said(*gains):
    return recommend((*ALONE, *OURS), gains, policy="The policy", seeds=3, classes=6)


def test_a_shown_gain_says_pretrain_where_and_by_how_much():
    found = said(
        gain("simclr_found", 5, 0.05, 0.02, shown=True),
        gain("simclr_found", 10, 0.02, 0.03, shown=False),
        gain("simclr_baseline", 5, 0.03, 0.02, shown=True),
    )
    assert found.answer == "pretrain" and found.way == "simclr_found"
    assert (
        "With 5 labels of each class it reaches 80.0 %, +5.0 points (+3.0 to +7.0)" in found.reason
    )
    assert "needs 8 (6 to over 10) for the same" in found.reason
    assert "With 10 labels of each class no gain is shown" in found.reason
    assert "Without a pretraining: frozen" in found.reason


def test_no_gain_of_a_point_anywhere_says_do_not():
    found = said(gain("simclr_found", 5, -0.01, 0.01, shown=False),
                 gain("simclr_found", 10, 0.0, 0.009, shown=False))  # fmt: skip
    assert found.answer == "do_not_pretrain" and found.way == "frozen"
    assert found.title == "Do not pretrain: frozen"


def test_what_is_open_is_said_to_be():
    found = said(gain("simclr_found", 5, 0.02, 0.05, shown=False))
    assert found.answer == "not_shown" and "3 seeds" in found.reason
    assert "+2.0 points (−3.0 to +7.0) with 5 labels" in found.reason


def test_harm_and_the_published_policy_are_told():
    found = said(
        gain("simclr_found", 5, -0.05, 0.02, shown=False),
        gain("simclr_found", 5, 0.01, 0.02, shown=None, against="baseline"),
    )
    assert any(
        "worse than the best way" in line and "with 5 labels" in line for line in found.findings
    )
    assert any("The policy against A" in line for line in found.findings)


def test_where_nothing_is_learnt_nothing_is_advised():
    chance = (curve("scratch", 0.17, 0.18), curve("simclr_found", 0.16, 0.17, simclr="B"))
    found = recommend(chance, [gain("simclr_found", 5, 0.0, 0.0, shown=False)], policy="The policy",
                      seeds=3, classes=6)  # fmt: skip
    assert found.answer == "measures_nothing" and "16.7 %" in found.reason


def test_labels_beyond_what_was_tried_say_so():
    assert needed(SameScore(labels=None, low=9.0, high=None), (5, 10)) == "over 10 (9 to over 10)"
    assert needed(SameScore(labels=0.0, low=0.0, high=6.0), (5, 10)) == "under 5 (under 5 to 6)"
    assert needed(SameScore(labels=None, low=None, high=None), (5, 10)) == "over 10"


def test_the_simplest_that_is_within_a_point_is_advised():
    near = (curve("weights", 0.950, 0.960), curve("weights_found", 0.955, 0.962))
    found = recommend((*near, *OURS), [gain("simclr_found", 5, 0.0, 0.004, shown=False)],
                      policy="The policy", seeds=3, classes=6)  # fmt: skip
    assert found.way == "weights"
