"""Pictures for operations to act on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kornia_parity import SIZE, N


@pytest.fixture
def images() -> torch.Tensor:
    rng = np.random.default_rng(1)
    coarse = torch.from_numpy(rng.random((N, 3, 9, 9), dtype=np.float32))
    return torch.nn.functional.interpolate(coarse, size=(SIZE, SIZE), mode="bilinear")
