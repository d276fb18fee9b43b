"""Counter-based draws: every random number of a batch is a pure function of what it is for.

A number is `hash(seed, replicate, step, view, operation instance, row, slot)` and, in a field, of
the pixel too. So a new operation, a closed gate, another batch size or another device moves no
other number, and the global generators stay untouched. The words are hashed on the host; rows,
slots and pixels in wrapping int32 arithmetic, which gives the same bits on every device.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


def mix_bits(x: Tensor) -> Tensor:
    """A bijection of int32 in which every input bit flips every output bit half of the time.

    The finaliser of MurmurHash3 (Appleby, public domain). torch's shift is arithmetic, so the
    sign bits that it pulls in are masked away.
    """
    upper = (x >> 16).bitwise_and_(0xFFFF)
    mixed = (x ^ upper).mul_(0x85EBCA6B - 2**32)
    torch.bitwise_right_shift(mixed, 13, out=upper).bitwise_and_(0x7FFFF)
    mixed.bitwise_xor_(upper).mul_(0xC2B2AE35 - 2**32)
    torch.bitwise_right_shift(mixed, 16, out=upper).bitwise_and_(0xFFFF)
    return mixed.bitwise_xor_(upper)


def unit_interval(bits: Tensor) -> Tensor:
    """int32 bits -> float32 in [0, 1), exactly: the upper 24 bits as a multiple of 2^-24."""
    return (bits >> 8).bitwise_and_(0xFFFFFF).to(torch.float32).mul_(2.0**-24)


def gaussian(uniform: Tensor) -> Tensor:
    """Standard normal numbers from uniform ones, finite for all of [0, 1)."""
    # The middle of the uniform number's cell of width 2^-24 never reaches -1 or 1.
    return torch.erfinv(2 * uniform - (1 - 2.0**-24)).mul_(math.sqrt(2))


@dataclass(frozen=True)
class Draws:
    """The random numbers of one batch.

    Attributes:
        seed, replicate, step: what run and which of its batches.
        views: which views the rows belong to, such as (0, 1) for both views of a policy.
        rows: images per view; row numbers run through view 0 first, then view 1.
        device: where the numbers are needed.
        first: the number of the first row, for a part of a batch: together the parts draw what
            the whole batch does.
    """

    seed: int
    replicate: int
    step: int
    views: tuple[int, ...]
    rows: int
    device: torch.device
    first: int = 0

    @cached_property
    def _counter(self) -> Tensor:
        """One int32 per row, the same for the same view and image: `[len(views) * rows]`."""
        rows = self.first + torch.arange(self.rows, dtype=torch.int32, device=self.device)
        return torch.cat([rows + (view << 28) for view in self.views])

    def _keys(self, purpose: str) -> tuple[int, int]:
        words = f"{self.seed}|{self.replicate}|{self.step}|{purpose}".encode()
        digest = hashlib.blake2b(words, digest_size=8).digest()
        return (
            int.from_bytes(digest[:4], "little", signed=True),
            int.from_bytes(digest[4:], "little", signed=True),
        )

    def uniform(self, instance: str, slots: int) -> Tensor:
        """`[len(views) * rows, slots]` float32 in [0, 1) for the operation called `instance`."""
        row_key, slot_key = self._keys(instance)
        row = mix_bits(self._counter ^ row_key)
        slot = torch.arange(slots, dtype=torch.int32, device=self.device)
        return unit_interval(mix_bits(row[:, None] ^ mix_bits(slot ^ slot_key)))

    def field(self, instance: str, rows: Tensor, shape: tuple[int, ...], slot: int = 0) -> Tensor:
        """`[len(rows), *shape]` float32 in [0, 1): a number per pixel of each of those rows.

        `rows` (int64) counts as in `uniform`; `slot` tells several fields of one operation apart.
        """
        row_key, pixel_key = self._keys(f"{instance}|field {slot}")
        row = mix_bits(self._counter[rows] ^ row_key)
        pixel = torch.arange(math.prod(shape), dtype=torch.int32, device=self.device)
        bits = mix_bits(row[:, None] ^ mix_bits(pixel ^ pixel_key))
        return unit_interval(bits).view(-1, *shape)
