"""Files of weights: tensors by name, and nothing that runs."""

from __future__ import annotations

import hashlib
import json
import pickle
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from augsearch.errors import ConfigError

State = dict[str, Tensor]

LFS = b"version https://git-lfs"

MEAN, STD = "augsearch.mean", "augsearch.std"
"""Keys of what `write_weights` records beside the tensors."""

DEEP = 3
"""Levels of nesting that a training program may put around a network's tensors."""


def read_states(path: Path) -> dict[str, State]:
    """The networks in a file by where they stand in it; most files hold one, called "".

    Raises:
        ConfigError: the file cannot be read, holds code, or holds no tensors.
    """
    where = f"encoder.weights {path}"
    try:
        begins = _begins(path)
        if begins.startswith(LFS):
            raise ConfigError(
                f"{where}: is Git LFS's note of where the file is, and not the file; fetch that "
                "with `git lfs pull`"
            )
        if path.suffix.lower() == ".safetensors" or begins[8:9] == b"{":
            return {"": load_file(path)}
        with warnings.catch_warnings(action="ignore"):  # what is wrong is said below, in one line
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ConfigError(f"{where}: cannot be read ({error.strerror or error})") from None
    except ConfigError:
        raise
    except Exception as error:  # torch raises nearly anything on damaged files
        if isinstance(error, pickle.UnpicklingError) and "global" in str(error).lower():
            raise ConfigError(
                f"{where}: holds more than tensors, and code from a file is not run; save the "
                "network's state_dict() alone, best as .safetensors"
            ) from None
        if "torchscript" in str(error).lower():
            raise ConfigError(
                f"{where}: is a TorchScript archive; save the network's state_dict() instead"
            ) from None
        reason = str(error).strip().partition("\n")[0].partition(". ")[0] or type(error).__name__
        raise ConfigError(
            f"{where}: is no file of weights ({reason}); want .safetensors, or a state_dict() "
            "saved by torch"
        ) from None
    states = dict(_states(content))
    if not states:
        raise ConfigError(f"{where}: holds no tensors by name; save the network's state_dict()")
    return states


def write_weights(
    state: Mapping[str, Tensor], mean: Sequence[float], std: Sequence[float]
) -> bytes:
    """A network's tensors as `.safetensors`, with the normalisation that they were trained with.

    The same tensors give the same bytes.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    recorded = {MEAN: json.dumps(list(mean)), STD: json.dumps(list(std))}
    content = save(plain, {"format": "pt", **recorded})
    # Eight bytes say how long the JSON is that comes first, whose records are in no fixed order.
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return content[:8] + text.ljust(end - 8) + content[end:]


def recorded_normalisation(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation that `write_weights` put into a file; empty for files of others."""
    try:
        with safe_open(path, "pt") as file:
            recorded = file.metadata() or {}
        mean, std = json.loads(recorded[MEAN]), json.loads(recorded[STD])
        return tuple(map(float, mean)), tuple(map(float, std))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return (), ()  # whether the file is one at all, reading its tensors says


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _states(content: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, State]]:
    if not isinstance(content, Mapping) or depth > DEEP:
        return
    tensors = {k: v for k, v in content.items() if isinstance(k, str) and isinstance(v, Tensor)}
    if tensors:
        yield name, tensors
    for key, value in content.items():
        if isinstance(key, str):
            yield from _states(value, f"{name}.{key}" if name else key, depth + 1)


def file_digest(path: Path) -> str:
    """Twelve hex digits that change with the content of a file.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:12]
    except OSError as error:
        raise ConfigError(
            f"encoder.weights {path}: cannot be read ({error.strerror or error})"
        ) from None


def state_digest(state: State) -> str:
    """Twelve hex digits that change with names and values."""
    found = hashlib.sha256()
    for name in sorted(state):
        found.update(name.encode())
        flat = state[name].detach().contiguous().reshape(-1)
        found.update(flat.view(torch.uint8).numpy().tobytes())
    return found.hexdigest()[:12]
