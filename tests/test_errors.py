"""What errors say, whoever raises them."""

import pickle

import pytest

from augsearch.errors import StudyError, without_passwords
from augsearch.tracking.client import in_words


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("postgresql://me:geheim@host:5432/db", "postgresql://me@host:5432/db"),
        ("postgresql+psycopg://me:ge@he/im@host/db", "postgresql+psycopg://me@host/db"),
        (
            "at https://me:geheim@host/x and http://b:geheim@c",
            "at https://me@host/x and http://b@c",
        ),
        ("postgresql://me@host/db?password=geheim&a=b", "postgresql://me@host/db?a=b"),
        ("postgresql://me@host/db?a=b&password=geheim", "postgresql://me@host/db?a=b"),
        ("postgresql://me@host/db?password=geheim", "postgresql://me@host/db"),
        ("'postgresql://:geheim@host/db'", "'postgresql://@host/db'"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        ("http://host:5000", "http://host:5000"),
        ("sqlite:///C:/a@b.db", "sqlite:///C:/a@b.db"),
        ("me:mine@home", "me:mine@home"),
    ],
)
def test_passwords_are_taken_out_of_urls_and_nothing_else(said, shown):
    assert without_passwords(said) == shown
    error = StudyError(f"--storage {said}: no")
    assert str(error) == str(pickle.loads(pickle.dumps(error))) == f"--storage {shown}: no"


def test_what_a_file_says_neither_breaks_the_line_nor_commands_the_terminal():
    said = "w.pth: \x1b[31mred\x9b2J\nand\r\0 h\udce4rte, härte \u2028"
    assert str(StudyError(said)) == (r"w.pth: \x1b[31mred\x9b2J and \x00 h\udce4rte, härte  ")


def test_a_tracking_server_is_named_without_its_password(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:geheim@tracking.example")
    told = in_words(OSError("no route to https://me:geheim@tracking.example/api"))
    assert "geheim" not in told and told.count("me@tracking.example") == 2
