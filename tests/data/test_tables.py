"""Tables of labels and groups as programs write them: names, separators, encodings."""

from pathlib import Path

import pytest
from data.test_sources import heard, touch, write

from augsearch.data.listing.sources import ImageRecord, find_images
from augsearch.errors import DataError

TABLES = {
    "Labels.csv": ("path,label\na.png,x\n", "utf-8"),
    "LABELS.CSV": ("Path, Label\na.png, x\n", "utf-8"),
    "labels.tsv": ("path\tlabel\na.png\tx\n", "utf-8"),
    "label.csv": ("path;label\na.png;x\n", "utf-8"),
    "labels.csv": ("path,label\na.png,x\n", "utf-16"),
}


@pytest.mark.parametrize(("name", "text", "encoding"), [(k, *v) for k, v in TABLES.items()])
def test_tables_as_programs_write_them(tmp_path: Path, name: str, text: str, encoding: str) -> None:
    (touch(tmp_path, "a.png") / name).write_text(text, encoding=encoding)
    records, said = heard(tmp_path)
    assert records == (ImageRecord("a.png", "x"),)
    assert said == ""


@pytest.mark.parametrize("name", ["Groups.csv", "groups.tsv", "group.csv"])
def test_groups_tables_of_other_names(tmp_path: Path, name: str) -> None:
    write(touch(tmp_path, "ok/a.png"), name, "path\tgroup", "ok/a.png\t7")
    assert find_images(tmp_path) == (ImageRecord("ok/a.png", "ok", "7"),)


@pytest.mark.parametrize("name", ["metadata.csv", "labels.xlsx", "ok/labels.csv"])
def test_a_table_that_is_not_read_is_named(tmp_path: Path, name: str) -> None:
    _, said = heard(touch(tmp_path, "ok/a.png", name))
    assert f"tables that are not used: 1 ({name})" in said


def test_two_tables_of_labels_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "Labels.csv", "labels.tsv")
    with pytest.raises(DataError, match=r"Labels\.csv and labels\.tsv both could be meant"):
        find_images(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("path,label\na.png,Maß\n".encode("latin-1"), ", row 2: 0xdf is no text in UTF-8"),
        (
            "path,label\na.png,x\n".encode("utf-16-le"),
            " holds zero bytes, as UTF-16 without its mark does",
        ),
        ("path,label\na.png,x\n".encode("utf-16")[:-1], " is no text in UTF-16, as its mark says"),
    ],
    ids=["latin-1", "utf-16 without a mark", "cut off"],
)
def test_a_table_in_another_encoding_says_how_to_save_it(tmp_path, content, said) -> None:
    (touch(tmp_path, "a.png") / "labels.csv").write_bytes(content)
    with pytest.raises(DataError) as refused:
        find_images(tmp_path)
    assert f"labels.csv{said}; save the table again as CSV UTF-8" in str(refused.value)
