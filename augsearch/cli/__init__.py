"""The command line: each verb parses, makes one call of the Python API, and prints."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit; interrupted while it is still loading, too, without a word."""
    try:
        from augsearch.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()
