"""What is made once for a whole test run, whatever its processes, and copied by tests."""

import pickle
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


class Shared:
    """Directories below `root`, which all processes of a test run see."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def made(self, name: str, make: Callable[[], None]) -> Path:
        """The directory `name`, in which `make` was called once; not to be written to."""
        directory, done = self.root / name, self.root / f"{name}.done"
        with FileLock(self.root / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(directory, ignore_errors=True)  # there only if a try failed
                directory.mkdir()
                with pytest.MonkeyPatch.context() as patch:
                    patch.chdir(directory)
                    patch.setenv("AUGSEARCH_CACHE", str(directory / "cache"))
                    patch.delenv("MLFLOW_TRACKING_URI", raising=False)
                    make()
                done.touch()
        return directory


def run_small() -> None:
    """The study `small`, of four trials, to its end; what it returned is in `result.pickle`."""
    from small_study import small_config, small_images, small_space

    from augsearch.verbs.run import run_study

    result = run_study(
        small_space(), data=small_images(), study=small_config(), name="small", device="cpu"
    )
    Path("result.pickle").write_bytes(pickle.dumps(result))


def copy_study(source: Path, target: Path) -> None:
    """Copy a directory of studies so that what is done with the copy stays in it."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    for database in target.glob("*.db"):
        _rename(database, str(source), str(target.resolve()))
    forget_runs()


def forget_runs() -> None:
    """MLflow remembers for each run of this process where its files are; copies share runs."""
    if "mlflow.tracking._tracking_service.utils" in sys.modules:
        sys.modules["mlflow.tracking._tracking_service.utils"]._artifact_repos_cache.clear()


def _rename(database: Path, old: str, new: str) -> None:
    """MLflow and the studies know by absolute paths where their files are."""
    connection = sqlite3.connect(database)
    with connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            for column in connection.execute(f'PRAGMA table_info("{table}")').fetchall():
                if column[2].upper().startswith(("VARCHAR", "TEXT", "JSON")):
                    connection.execute(
                        f'UPDATE "{table}" SET "{column[1]}" = replace("{column[1]}", ?, ?) '
                        f'WHERE instr("{column[1]}", ?)',
                        (old, new, old),
                    )
    connection.close()
