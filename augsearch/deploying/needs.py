"""Packages that only some formats need."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

from augsearch.errors import ConfigError

EXTRA = {"onnx": "deploy", "onnxruntime": "deploy", "onnxscript": "deploy", "openvino": "openvino"}


def is_there(package: str) -> bool:
    """Whether a package is installed."""
    return find_spec(package) is not None


def needs(module: str) -> Any:
    """A module of a package that not every installation has.

    Raises:
        ConfigError: the package is not installed.
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigError(
            f"{package} is not installed; install it with: pip install "
            f"'augsearch[{EXTRA[package]}]'"
        ) from None
