"""A policy as a file for somebody else's training loop."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from augsearch.augment.export.export import export_policy
from augsearch.errors import ConfigError, OutputError
from augsearch.files import write_whole
from augsearch.space.policy import Policy, load_policy
from augsearch.space.policy_ops import CustomPolicyOp, walk

Target = Literal["kornia", "torchvision"]
SMALLEST, USUAL = 8, 224


def write_export(
    policy: str | Path | Policy,
    to: str,
    output: str | Path | None = None,
    *,
    image_size: int | None = None,
) -> Path:
    """Write `policy` as a stand-alone Python file; the path that was written.

    Args:
        to: `kornia` or `torchvision`.
        output: file to write; None for `views_<to>.py` in this directory.
        image_size: side of the views in pixels; None for the size that the policy was found at,
            224 if it does not say.

    Raises:
        ConfigError: unknown target, too small a size, or an operation that the target cannot
            express.
        OutputError: the file cannot be written.
    """
    targets = {str(target): target for target in get_args(Target)}
    if to not in targets:
        raise ConfigError(f"--to {to}: unknown target; known: {', '.join(targets)}")
    if image_size is not None and image_size < SMALLEST:
        raise ConfigError(f"--image-size {image_size}: must be {SMALLEST} pixels or more")
    chosen = policy if isinstance(policy, Policy) else load_policy(policy)
    found_at = chosen.found_on.image_size if chosen.found_on else USUAL
    source = export_policy(chosen, targets[to], image_size or found_at)
    path = Path(output) if output is not None else Path(f"views_{to}.py")
    sources = [
        op.source.file
        for op in walk((*chosen.views[0], *chosen.views[1]))
        if isinstance(op, CustomPolicyOp)
    ]
    if not isinstance(policy, Policy):
        sources.append(Path(policy).resolve())
    if path.resolve() in sources:
        raise OutputError(f"--output {path}: is what the policy is made of; name another file")
    try:
        write_whole(path, source.encode())
    except OSError as error:
        raise OutputError(f"--output {path}: cannot be written ({error.strerror})") from None
    return path
