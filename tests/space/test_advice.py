"""Advice is complete, short, and about operations that exist."""

from augsearch.space.catalogue import OPERATIONS
from augsearch.space.handbook.advice import ADVICE

LONGEST = 110
SENTENCES = {
    f"{name} {domain} {kind}": sentence
    for name, advice in ADVICE.items()
    for domain, one in advice.domains()
    for kind, sentence in (("good for", one.good_for), ("dangerous", one.dangerous))
}


def test_every_operation_has_advice_and_nothing_else_is_named():
    assert set(ADVICE) == set(OPERATIONS)


def test_every_domain_has_both_sentences():
    assert len(SENTENCES) == len(OPERATIONS) * 4 * 2


def test_sentences_are_short_lines():
    for where, sentence in SENTENCES.items():
        assert 0 < len(sentence) <= LONGEST, where
        assert sentence.endswith("."), where
        assert sentence == " ".join(sentence.split()), where
        assert "|" not in sentence, where  # it stands in a Markdown table
