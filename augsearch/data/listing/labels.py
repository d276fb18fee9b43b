"""Are there several labels in one cell?"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from augsearch.data.listing.names import printable
from augsearch.errors import DataError

CERTAIN = re.compile(r"[;|]")
"""Between labels, and hardly ever in one."""
POSSIBLE = re.compile(r"[;|,/+&]")


def check_single_labels(where: Path, labels: Collection[str], *, strict: bool) -> None:
    """Check that no label is a list of labels.

    A label is one if it is in brackets, if its parts between `; | , / + &` are labels of other
    images, too (with a comma, one of them), or if labels with commas are made of the same parts.

    Args:
        where: for the message.
        strict: `;` and `|` in a label are enough, as in a table; folders may be called so.

    Raises:
        DataError: several labels for one image are not supported.
    """
    parts = {label: tuple(filter(None, map(str.strip, POSSIBLE.split(label)))) for label in labels}
    seen: dict[str, int] = {}
    for label in labels:
        for part in {label, *(parts[label] if "," in label else ())}:
            seen[part] = seen.get(part, 0) + 1
    for label in sorted(labels):
        listed = label.startswith(("[", "(", "{")) and label.endswith(("]", ")", "}"))
        known = [part in labels for part in parts[label]]
        repeated = [seen[part] > 1 for part in parts[label]] if "," in label else [False]
        several = len(known) > 1 and (all(known) or all(repeated) or ("," in label and any(known)))
        if several or (strict and ((listed and "," in label) or CERTAIN.search(label))):
            raise DataError(
                f"{printable(str(where))}: {printable(label)!r} reads like several labels of one "
                "image, which are not supported yet; give each image one label, the one to be "
                "told apart"
            )
