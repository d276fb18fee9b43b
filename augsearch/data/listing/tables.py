"""Reading tables of labels and groups, with errors that name the file and the row."""

from __future__ import annotations

import codecs
import io
import posixpath
import unicodedata
from collections import Counter
from collections.abc import Collection
from pathlib import Path, PureWindowsPath

import pandas as pd

from augsearch.errors import DataError

SHOWN = 3  # wrong rows that a message names
DELIMITERS = ",;\t|"


def read_table(
    file: Path, paths: Collection[str], *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, dict[str, str]]:
    """Rows of a table by image path; every path is one of `paths`, every cell is stripped text.

    Cells are divided by commas, semicolons, tabs or bars, whichever the first row has; the text is
    UTF-8, or UTF-16 with its mark. Paths may differ from the file's in case or in the Unicode form
    of a letter, where that leaves no doubt.

    Raises:
        DataError: the file is no table with these columns, or names a path outside the directory,
            twice, or that is none of `paths`.
    """
    frame = _read_csv(file)
    frame.columns = frame.columns.str.strip().str.lower()
    _check_columns(file, list(frame.columns), required, optional)
    frame = frame.fillna("").apply(lambda column: column.str.strip())
    known, alike = frozenset(paths), _by_spelling(paths)
    table: dict[str, dict[str, str]] = {}
    lines: dict[str, int] = {}
    missing: list[str] = []
    for line, cells in enumerate(frame.to_dict("records"), start=2):
        row = {str(name): str(cell) for name, cell in cells.items()}
        if not any(row.values()):
            continue
        path = _inside(file, line, row["path"])
        if path not in known:
            path = alike.get(_spelling(path), path)
        if path in lines:
            raise DataError(f"{file}, rows {lines[path]} and {line}: {_twice(path, table, row)}")
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


def _spelling(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _by_spelling(paths: Collection[str]) -> dict[str, str]:
    """Paths by what they have in common with another spelling, where only one has it."""
    counts = Counter(map(_spelling, paths))
    return {key: path for path in paths if counts[key := _spelling(path)] == 1}


def _twice(path: str, table: dict[str, dict[str, str]], row: dict[str, str]) -> str:
    labels = sorted({table[path].get("label", ""), row.get("label", "")})
    if len(labels) > 1:
        return (
            f"{path!r} is named twice, with the labels {' and '.join(map(repr, labels))}; every "
            "image has one row, and several labels of one image are not supported yet"
        )
    return f"{path!r} is named twice; every image has one row"


def _read_csv(file: Path) -> pd.DataFrame:
    try:
        text = _text(file)
        first, _, _ = text.partition("\n")
        # Labels are text ("NA" and "01" stay as they are), and blank lines keep rows countable.
        frame = pd.read_csv(
            io.StringIO(text),
            dtype=str,
            sep=max(DELIMITERS, key=first.count),
            keep_default_na=False,
            skip_blank_lines=False,
        )
    except pd.errors.EmptyDataError:
        raise DataError(f"{file} is empty; the first row names the columns") from None
    except (pd.errors.ParserError, OSError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{file} is no comma-separated UTF-8 table: {reason}") from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise DataError(f"{file}, row 2: more cells than the {len(frame.columns)} columns")
    return frame


def _text(file: Path) -> str:
    content = file.read_bytes()
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    remedy = "save the table again as CSV UTF-8, as spreadsheets call it"
    try:
        text = content.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        if marked:
            raise DataError(f"{file} is no text in UTF-16, as its mark says; {remedy}") from None
        row = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise DataError(f"{file}, row {row}: 0x{byte:02x} is no text in UTF-8; {remedy}") from None
    if "\0" in text:
        raise DataError(f"{file} holds zero bytes, as UTF-16 without its mark does; {remedy}")
    return text


def _check_columns(
    file: Path, columns: list[str], required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    expected = ",".join(required) + "".join(f"[,{name}]" for name in optional)
    missing = [name for name in required if name not in columns]
    unknown = [name for name in columns if name not in required + optional]
    if missing or unknown:
        several = any(name.startswith(("label", "class")) for name in unknown) and not missing
        hint = "; several labels of one image are not supported yet" if several else ""
        raise DataError(f"{file}, row 1: columns are {','.join(columns)!r}, not {expected!r}{hint}")


def _inside(file: Path, line: int, text: str) -> str:
    """`text` as a normal relative path with forward slashes, as tables from Windows need it."""
    path = posixpath.normpath(PureWindowsPath(text).as_posix()) if text else ""
    if not text or path.startswith(("/", "../")) or path == ".." or PureWindowsPath(text).drive:
        raise DataError(f"{file}, row {line}: path {text!r} must be relative to {file.parent}")
    return path
