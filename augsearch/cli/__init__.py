"""The command line: each verb parses, makes one call of the Python API, and prints."""

from augsearch.cli.app import main

__all__ = ["main"]
