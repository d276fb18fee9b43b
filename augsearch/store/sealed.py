"""How often the sealed images have judged, by whatever verb: each look takes from their seal."""

from __future__ import annotations

from collections.abc import Sequence

import optuna

SEALED = "sealed split / uses"
MANY_USES = 5
"""Studies judged on the same test images before the result warns."""


def count_sealed_use(
    storage: optuna.storages.BaseStorage, marks: Sequence[str], *, by: str, use: str
) -> int:
    """Note a look at sealed images; how many looks have been taken at some of them by now.

    The note outlives what took the look.

    Args:
        marks: of the images, see `data.splits.sealed_marks`.
        by: what looks, for people.
        use: what the look is known by: the same look counts once.
    """
    ledger = optuna.create_study(storage=storage, study_name=SEALED, load_if_exists=True)
    uses = {
        trial.user_attrs["use"]
        for trial in ledger.get_trials(deepcopy=False)
        if not set(marks).isdisjoint(trial.user_attrs["marks"])
    }
    if use not in uses:
        ledger.add_trial(
            optuna.create_trial(
                value=0.0, user_attrs={"study": by, "use": use, "marks": list(marks)}
            )
        )
    return len(uses | {use})


def sealed_before(storage: optuna.storages.BaseStorage, marks: Sequence[str]) -> dict[str, int]:
    """What has looked at some of these images as sealed ones -> how many of them it is known of, at
    the least."""
    if SEALED not in optuna.get_all_study_names(storage):
        return {}
    ledger = optuna.load_study(storage=storage, study_name=SEALED)
    wanted, found = set(marks), dict[str, int]()
    for trial in ledger.get_trials(deepcopy=False):
        if common := len(wanted & set(trial.user_attrs["marks"])):
            by = trial.user_attrs["study"]
            found[by] = max(common, found.get(by, 0))
    return found


def sealed_note(uses: int) -> str:
    """What it means that so many looks were taken at the same test images; may be empty."""
    if uses <= 1:
        return ""
    note = (
        f"The sealed test images of this data have now been used {uses} times; each use makes a "
        "narrow win less meaningful."
    )
    if uses > MANY_USES:
        note += (
            f" That is more than {MANY_USES}: among so many looks, some are better by chance. "
            "Confirm on test images that no study has seen."
        )
    return note
