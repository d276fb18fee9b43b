"""`augsearch embed`: features of images for a team's own tools."""

from __future__ import annotations

from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError, OutputError
from augsearch.explaining.embedding import SUFFIXES, Embedded, counts_of, embedded_table, file_of
from augsearch.files import write_whole
from augsearch.progress import Progress, Quiet
from augsearch.simclr.device import resolve_device

FILE = "features.parquet"


# Public, and the one place where its arguments are explained.
def embed(
    directory: str | Path,
    *,
    data: str | Path | ImageSet | None = None,
    output: str | Path = FILE,
    device: str = "auto",
    force: bool = False,
    progress: Progress | None = None,
) -> Embedded:
    """Write the features of every image: the encoder's output, before any head.

    Args:
        directory: that `finetune` or `pretrain` has ended in.
        data: a folder of images, or an ImageSet; None for those of the directory.
        output: a file, `.parquet` with the columns path, label, side, group, f0, f1 and so on, or
            `.npz` with the arrays path, label, side, group and features `[N, D]`.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        force: overwrite a file that is there.
        progress: told what happens.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    progress, path = progress or Quiet(), Path(output)
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"--output {path}: want a name that ends in {' or '.join(SUFFIXES)}")
    if path.exists() and not (force and path.is_file()):
        raise ConfigError(f"--output {path}: is there already; give another, or --force")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None
    table, what = embedded_table(Path(directory), data, resolve_device(device), progress)
    content = file_of(table, what, path.suffix)
    try:
        write_whole(path, content)
    except OSError as error:
        raise _unwritable(path, error) from None
    found = Embedded(
        what=what, images=len(table), features=table.shape[1] - 4, sides=counts_of(table)
    )
    return found.written(path.parent, [path.name])


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: cannot be written ({error.strerror})")
