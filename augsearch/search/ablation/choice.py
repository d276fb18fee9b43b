"""Which operations an ablation looks at on these images, and so which plan it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from augsearch.bench.bench import Bench
from augsearch.errors import ConfigError, DataError
from augsearch.progress import Progress
from augsearch.search.ablation.plan import (
    Plan,
    Protocol,
    at_bound,
    plan_add_one,
    plan_leave_one_out,
    plan_pairs,
    plan_strength,
)
from augsearch.search.ablation.request import AblationRequest
from augsearch.space.points import bound_policy, middle_policy, operations
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import OneOf, PolicyOp
from augsearch.space.space import Space
from augsearch.study.setup import Setup, some_images

LOOKED_AT = 32  # images that an operation must change one of
NOTHING = 0.5 / 255  # a change that no 8-bit pixel shows


@dataclass(frozen=True)
class Choice:
    """A plan, the operations that act on these images, and the names of those that do not."""

    plan: Plan
    acting: Mapping[str, PolicyOp]
    idle: Sequence[str]


def choose(
    request: AblationRequest,
    setup: Setup,
    whole: Space,
    given: Policy | None,
    progress: Progress,
) -> Choice:
    """The plan that a request makes for the images of `setup`.

    Operations are those of the whole space, also where these are grey images that it has been cut
    down for: one that is named and idle deserves a note, not a refusal.

    Args:
        whole: the space that was asked for.
        given: the policy that was asked for.

    Raises:
        ConfigError, DataError: an operation is not known, or nothing is left to compare.
    """
    mode, op = request.mode, request.op
    middle = middle_policy(whole)
    anywhere = operations(bound_policy(whole))
    # What does nothing in the middle is taken at its bound, in the space's order.
    own = {name: operations(middle).get(name, most) for name, most in anywhere.items()}
    base = given or middle
    if mode in ("leave-one-out", "classes"):
        owner = f"the policy {base.name!r}"
        own = operations(base)
    else:
        owner = f"the space {whole.name!r}"
    if op is not None:
        check_known("--op", op, own, owner)
    wanted = [op] if op is not None else chosen(own, request.ops, owner)
    if given is not None:
        own |= {name: found for name, found in operations(given).items() if name in own}
    looked_at = {name: own[name] for name in wanted}
    idle = idle_operations(setup.bench, looked_at)
    if idle:
        progress.note(f"no effect on these images, left out: {', '.join(idle)}")
    acting = {name: found for name, found in looked_at.items() if name not in idle}
    if not acting:
        named = f": {', '.join(wanted)} change nothing" if wanted else f"; {owner} has none"
        raise ConfigError(f"no operation acts on these images{named}")
    if mode in ("pairs", "add-one"):
        _note_strengths(list(acting), operations(middle), given, progress)
    order = list(anywhere)
    if mode == "pairs":
        protocol: Protocol = "policy" if request.protocol == "policy" else "simclr"
        plan = plan_pairs(acting, protocol, setup.config.ablate.crop_scale_min)
    elif mode == "leave-one-out":
        plan = plan_leave_one_out(base, list(acting), "leave-one-out")
    elif mode == "classes":
        plan = plan_leave_one_out(base, list(acting), "classes")
    elif mode == "add-one":
        plan = plan_add_one(given or setup.baselines["crop only"], acting, order)
    else:
        plan = _strength_plan(setup, whole, base, wanted[0], order, progress)
    return Choice(plan, acting, idle)


def check_known(flag: str, name: str, known: Mapping[str, PolicyOp], owner: str) -> None:
    """Refuse an operation that is not there.

    Raises:
        ConfigError: `name` is not known; if it is one of several, the message names these.
    """
    if name in known:
        return
    for group, op in known.items():
        if isinstance(op, OneOf) and any(member.instance == name for member in op.ops):
            raise ConfigError(f"{flag} {name}: is a part of {group!r}; name that")
    raise ConfigError(f"{flag}: {owner} has no operation {name!r}; it has: {', '.join(known)}")


def chosen(known: Mapping[str, PolicyOp], names: Sequence[str] | None, owner: str) -> list[str]:
    """The operations that are meant: `names`, or all that are known.

    Raises:
        ConfigError: one of `names` is not known, or stands there twice.
    """
    if names is None:
        return list(known)
    for name in names:
        check_known("--ops", name, known, owner)
        if names.count(name) > 1:
            raise ConfigError(f"--ops: {name!r} stands there twice; name it once")
    return list(names)


def _note_strengths(
    names: Sequence[str],
    middle: Mapping[str, PolicyOp],
    given: Policy | None,
    progress: Progress,
) -> None:
    """Say of which operations the strength is not the one that was asked for."""
    there = operations(given) if given is not None else middle
    if given is not None and (lacking := [name for name in names if name not in there]):
        progress.note(f"not in the policy, so as in the space: {', '.join(lacking)}")
    if bounds := [name for name in names if name not in there and name not in middle]:
        progress.note(f"no effect in the middle of the space, so at its bound: {', '.join(bounds)}")


def _strength_plan(
    setup: Setup, whole: Space, base: Policy, name: str, order: Sequence[str], progress: Progress
) -> Plan:
    config, evaluate = setup.config.ablate, setup.config.evaluate
    if config.supervised and evaluate.score != "probe":
        raise ConfigError(
            f"ablate.supervised: {evaluate.score} is no accuracy that a supervised classifier "
            "could be held against; leave ablate.supervised or evaluate.score out of the study file"
        )
    if config.supervised and not setup.bench.draws:
        raise DataError(
            f"ablate.supervised: {setup.source} has too few labels for supervised training; "
            "label more, or leave it out of the study file"
        )
    plan = plan_strength(
        base, name, at_bound(whole, name), config.strengths, order, supervised=config.supervised
    )
    shares = {cell.share for cell in plan.cells}
    if same := [f"{share:g}" for share in config.strengths if share not in shares]:
        progress.note(f"the same policy as at a lower strength, left out: {', '.join(same)}")
    return plan


def idle_operations(bench: Bench, ops: dict[str, PolicyOp]) -> list[str]:
    """Those that change none of some images by what an 8-bit pixel shows, even with open gates."""
    images = some_images(bench, LOOKED_AT)
    idle = []
    for name, op in ops.items():
        always = op.model_copy(update={"p": 1.0})
        policy = Policy.model_validate({"view1": (always,), "view2": ()})
        views = [bench.renderer(policy).function(bench.seed, 0)(images, step) for step in range(4)]
        if max(float((changed - clean).abs().max()) for changed, clean in views) < NOTHING:
            idle.append(name)
    return idle
