"""A policy as a file for somebody else's training loop."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from augsearch.augment.export.export import export_with_remarks
from augsearch.augment.export.parts import MARK
from augsearch.augment.export.targets import usual_name
from augsearch.errors import ConfigError, ExportWarning, OutputError
from augsearch.files import write_whole
from augsearch.space.policy import Policy, load_policy
from augsearch.space.policy_ops import CustomPolicyOp, walk

SMALLEST, USUAL = 8, 224
HEAD = b"Two views under ", MARK.encode()
"""What one of the first two lines of every export holds."""


@dataclass(frozen=True)
class Exported:
    """A policy in the form of another library.

    Attributes:
        path: the file that was written.
        remarks: what the library cannot express of the policy, a line each, as in the file's head.
    """

    path: Path
    remarks: tuple[str, ...]


def export(
    policy: str | Path | Policy,
    to: str,
    output: str | Path | None = None,
    *,
    image_size: int | None = None,
    strict: bool = False,
    force: bool = False,
) -> Exported:
    """Write `policy` as a file for another library, and say what that cannot express.

    Args:
        to: `kornia`, `torchvision`, `albumentations`, `lightly`, `lightly-train`, `solo-learn`,
            `dino` or `json`.
        output: file to write; None for `views_<to>` in this directory, with the target's ending.
        image_size: side of the views in pixels; None for the size that the policy was found at,
            224 if it does not say.
        strict: refuse what the target cannot express, instead of leaving it out.
        force: overwrite a file that is no export.

    Raises:
        ConfigError: unknown target, too small a size, or a policy that the target cannot express:
            with `strict` in any detail, else in none of its operations.
        OutputError: the file cannot be written, or is there and no export.
    """
    if image_size is not None and image_size < SMALLEST:
        raise ConfigError(f"--image-size {image_size}: must be {SMALLEST} pixels or more")
    chosen = policy if isinstance(policy, Policy) else load_policy(policy)
    found_at = chosen.found_on.image_size if chosen.found_on else USUAL
    made = export_with_remarks(chosen, to, image_size or found_at, strict=strict)
    path = Path(output) if output is not None else Path(usual_name(to))
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
        if not force and not _may_go(path):
            raise OutputError(
                f"--output {path}: is there and was not exported by augsearch; name another file, "
                "or overwrite it with --force"
            )
        write_whole(path, made.text.encode())
    except OSError as error:
        raise OutputError(f"--output {path}: cannot be written ({error.strerror})") from None
    return Exported(path, made.remarks)


def write_export(
    policy: str | Path | Policy,
    to: str,
    output: str | Path | None = None,
    *,
    image_size: int | None = None,
) -> Path:
    """Do as `export`, return the path alone, and warn (`ExportWarning`) of what differs."""
    exported = export(policy, to, output, image_size=image_size)
    if exported.remarks:
        warnings.warn(
            f"{exported.path} differs from the policy: {'; '.join(exported.remarks)}",
            ExportWarning,
            stacklevel=2,
        )
    return exported.path


def _may_go(path: Path) -> bool:
    """Whether nothing is lost with it: an export, an empty file, a device, or nothing at all."""
    if not path.is_file():
        return True
    with path.open("rb") as file:
        start = [file.readline(65536) for _ in range(2)]
    return not start[0] or any(all(words in line for words in HEAD) for line in start)
