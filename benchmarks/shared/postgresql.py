"""A real PostgreSQL of one's own, run by a user that is not root."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [
    Path(found).parent for found in [shutil.which("pg_ctl")] if found
]


@dataclass(frozen=True)
class Server:
    """A running server; `url` is of a database in it."""

    directory: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://tester@127.0.0.1:{self.port}/postgres"

    def call(self, program: str, *arguments: object) -> None:
        owner = "postgres" if os.geteuid() == 0 else None
        command = [str(BINARIES[-1] / program), "-D", str(self.directory / "data")]
        subprocess.run(
            [*command, *map(str, arguments)],
            check=True,
            capture_output=True,
            cwd=self.directory,
            user=owner,
            group=owner,
            extra_groups=[] if owner else None,
        )

    def start(self) -> None:
        options = f"-p {self.port} -k {self.directory} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.call("pg_ctl", "-w", "-l", self.directory / "log", "-o", options, "start")

    def stop(self) -> None:
        self.call("pg_ctl", "-w", "-m", "immediate", "stop")


@contextmanager
def postgresql() -> Iterator[Server]:
    """A server with an empty database."""
    directory = Path(tempfile.mkdtemp(prefix="augsearch-pg-"))
    if os.geteuid() == 0:  # which PostgreSQL refuses to run as
        shutil.chown(directory, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Server(directory, free.getsockname()[1])
    try:
        server.call("initdb", "-U", "tester", "--auth", "trust", "--no-sync")
        server.start()
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):  # stopped by the test
            server.stop()
        shutil.rmtree(directory)
