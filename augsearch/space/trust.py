"""Python of one's own that files may have run: named by the user once, by content or by directory.

Spaces, policies and study files name Python files, which run when they are read. These come from
others, too: as an export, out of a registry or a shared database. So nothing runs that the user of
this machine has not named.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from augsearch.errors import ConfigError, OutputError
from augsearch.files import json_bytes, write_whole

EVERYTHING = "AUGSEARCH_TRUST_CODE"
"""Environment variable; `1` trusts all code, for containers in which nobody has a home."""


_listing: ContextVar[bool] = ContextVar("listing", default=False)


@contextmanager
def running_nothing() -> Iterator[None]:
    """In it, operations of a user's own are read as they are written, and their files are neither
    run nor looked for: enough to list what is stored."""
    token = _listing.set(True)
    try:
        yield
    finally:
        _listing.reset(token)


def runs_code() -> bool:
    """Whether what is read may be run, outside `running_nothing`."""
    return not _listing.get()


def trust_code(path: str | Path) -> Path:
    """Trust a Python file as it is now, or a directory with all it will hold: studies may run them.

    Returns:
        The path, resolved.

    Raises:
        ConfigError: there is neither a directory nor a Python file.
        OutputError: the list of what is trusted cannot be written.
    """
    path = Path(path).resolve()
    if path.is_dir():
        _write({**_trusted(), str(path): ""})
    elif path.suffix == ".py" and path.is_file():
        _write({**_trusted(), str(path): _digest(path)})
    else:
        raise ConfigError(f"{path}: is neither a directory nor a Python file")
    return path


def forget_code(path: str | Path) -> None:
    """Take a file or a directory off the list.

    Raises:
        ConfigError: it is not on it.
        OutputError: the list cannot be written.
    """
    trusted, path = _trusted(), str(Path(path).resolve())
    if path not in trusted:
        raise ConfigError(f"{path}: is not trusted; there are {', '.join(trusted) or 'none'}")
    _write({one: content for one, content in trusted.items() if one != path})


def trusted_code() -> tuple[Path, ...]:
    """The files and directories that are trusted."""
    return tuple(map(Path, _trusted()))


def check_trusted(file: Path) -> None:
    """Raises ValueError if `file` may not run."""
    if os.environ.get(EVERYTHING) == "1":
        return
    trusted, file = _trusted(), file.resolve()
    if _digest(file) in trusted.values() or any(not trusted.get(str(p), "-") for p in file.parents):
        return
    raise ValueError(
        f"{file.name} is Python that would run now; if you have read and trust it, say once: "
        f"augsearch trust {file}"
    )


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _list_file() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "augsearch" / "trusted.json"


def _trusted() -> dict[str, str]:
    """The digest of each file, by its path when it was named; of directories an empty text."""
    path = _list_file()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: cannot be read; remove it, and trust your files again")
    return {str(one): str(content) for one, content in found.items()}


def _write(trusted: dict[str, str]) -> None:
    path = _list_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json_bytes(trusted))
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); {EVERYTHING}=1 in the environment "
            "trusts all code"
        ) from None
