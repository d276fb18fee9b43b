"""The reference executor's views of a policy, for tests to compare with."""

from torch import Tensor

from augsearch.augment.views import Views, plan_views, run_views
from augsearch.space.policy import Policy


def two_views(policy: Policy, images: Tensor, image_size: int, **draws: int) -> Views:
    """Two views of a batch; `draws` are `seed`, `replicate` and `step` of `run_views`."""
    return run_views(plan_views(policy), images, image_size, **draws)
