"""Errors that a user can cause, each one line that says what, where and what would be right.

AugsearchError
├── ConfigError      a space, study or policy file: unknown key, value out of bounds
├── DataError        images or labels: missing, unreadable, too few
├── DeviceError      a device that was asked for and is not there
├── StudyError       a stored study: other settings under its name, locked, missing
├── OutputError      a place that cannot be written
└── TrialFailure     a training run that diverged or collapsed (fails its trial, not the study)

The command line prints the message and exits with code 2; anything else is a bug and shows its
traceback.
"""

from __future__ import annotations

import re

# `user:password@` after a scheme, up to the last @ there is; a port is no password.
_BEFORE_HOST = re.compile(r"(?<=://)([^\s/@:'\"]*):(?!\d+(?:/|$))\S*@")
_VALUE = r"password=[^&\s'\"]*?"
_IN_QUERY = re.compile(rf"(\?){_VALUE}&|[?&]{_VALUE}(?=[:;,.)]*(?:[&\s'\"]|$))")


# What a terminal would obey, and what no text file can hold.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def without_passwords(text: str) -> str:
    """Text for people, logs, files and commands: URLs in it have lost their passwords.

    PostgreSQL's own programs, and ours, find them in `PGPASSWORD` or `~/.pgpass`.
    """
    return _IN_QUERY.sub(r"\1", _BEFORE_HOST.sub(r"\1@", text))


def _in_one_line(text: str) -> str:
    """Line breaks become spaces; other control characters, which files may smuggle in, escapes."""
    return _CONTROL.sub(
        lambda found: " " if found[0].isspace() else ascii(found[0]).strip("'"), text
    )


class AugsearchError(Exception):
    """Base of every error that a user can cause; `str(error)` is one line, without passwords."""

    def __init__(self, message: str) -> None:
        super().__init__(without_passwords(_in_one_line(message)))


class ConfigError(AugsearchError):
    """A space, study or policy file is wrong; the message names file, line, key and value."""


class DataError(AugsearchError):
    """Images or labels are missing, unreadable or too few."""


class DeviceError(AugsearchError):
    """The device that was asked for is not available."""


class StudyError(AugsearchError):
    """A stored study cannot be used as asked."""


class OutputError(AugsearchError):
    """A file or directory cannot be written."""


class CarryOverWarning(UserWarning):
    """A policy is used at a size at which an operation need not do what it did in the search."""


class ExportWarning(UserWarning):
    """An exported file differs from its policy: its library cannot express all of it."""


class TrialFailure(AugsearchError):
    """A training run diverged (non-finite loss) or collapsed (all features alike)."""
