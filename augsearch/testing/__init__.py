"""Checks that ship with the package, for operations that others add."""
