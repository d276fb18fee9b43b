"""Names that MLflow takes."""

from augsearch.study.records import safe_names


def test_every_class_has_a_name_of_its_own():
    names = safe_names(["好", "坏", "a/b", "a:b", "a?b", "ok", "OK", "x" * 300, "x" * 301])
    assert names[:7] == ("好", "坏", "a_b", "a_b 2", "a_b 3", "ok", "OK 2")
    assert names[7] == "x" * 200 and names[8] == "x" * 200 + " 2"
