"""Reading `labels.csv` and `groups.csv`, with errors that name the file and the row."""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from pathlib import Path, PureWindowsPath

import pandas as pd

from augsearch.errors import DataError

SHOWN = 3  # wrong rows that a message names


def read_table(
    file: Path, paths: Collection[str], *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, dict[str, str]]:
    """Rows of a table by image path; every path is one of `paths`, every cell is stripped text.

    Raises:
        DataError: the file is no table with these columns, or names a path outside the directory,
            twice, or that is none of `paths`.
    """
    frame = _read_csv(file)
    frame.columns = frame.columns.str.strip().str.lower()
    _check_columns(file, list(frame.columns), required, optional)
    frame = frame.fillna("").apply(lambda column: column.str.strip())
    known = frozenset(paths)
    table: dict[str, dict[str, str]] = {}
    lines: dict[str, int] = {}
    missing: list[str] = []
    for line, cells in enumerate(frame.to_dict("records"), start=2):
        row = {str(name): str(cell) for name, cell in cells.items()}
        if not any(row.values()):
            continue
        path = _inside(file, line, row["path"])
        if path in lines:
            raise DataError(
                f"{file}, rows {lines[path]} and {line}: {path!r} is named twice; "
                "every image has one row"
            )
        lines[path] = line
        table[path] = row
        if path not in known:
            missing.append(f"{path!r} (row {line})")
    if missing:
        more = ", …" if len(missing) > SHOWN else ""
        raise DataError(
            f"{file}: {len(missing)} of {len(table)} paths are no image below {file.parent}: "
            f"{', '.join(missing[:SHOWN])}{more}"
        )
    return table


def _read_csv(file: Path) -> pd.DataFrame:
    try:
        # Labels are text ("NA" and "01" stay as they are), and blank lines keep rows countable.
        frame = pd.read_csv(
            file,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            encoding="utf-8-sig",
        )
    except pd.errors.EmptyDataError:
        raise DataError(f"{file} is empty; the first row names the columns") from None
    except (pd.errors.ParserError, UnicodeDecodeError, OSError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{file} is no comma-separated UTF-8 table: {reason}") from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise DataError(f"{file}, row 2: more cells than the {len(frame.columns)} columns")
    return frame


def _check_columns(
    file: Path, columns: list[str], required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    expected = ",".join(required) + "".join(f"[,{name}]" for name in optional)
    missing = [name for name in required if name not in columns]
    unknown = [name for name in columns if name not in required + optional]
    if missing or unknown:
        raise DataError(f"{file}, row 1: columns are {','.join(columns)!r}, not {expected!r}")


def _inside(file: Path, line: int, text: str) -> str:
    """`text` as a normal relative path with forward slashes, as tables from Windows need it."""
    path = posixpath.normpath(PureWindowsPath(text).as_posix()) if text else ""
    if not text or path.startswith(("/", "../")) or path == ".." or PureWindowsPath(text).drive:
        raise DataError(f"{file}, row {line}: path {text!r} must be relative to {file.parent}")
    return path
