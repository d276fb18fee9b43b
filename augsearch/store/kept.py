"""What a study keeps besides trials and runs: what was asked for, and what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna

from augsearch.data.appearance import Looks
from augsearch.space.policy import Policy

ABLATIONS = "ablations"
ANSWER = "answer"
NOTHING_GAINED = frozenset({"measures_nothing", "as_they_are"})
"""Codes of verdicts in which no policy is worth using: none is shown to beat an encoder without
training."""


class Kept:
    """The attributes of a study in the database; each is read and written as one value."""

    def __init__(self, study: optuna.Study) -> None:
        self._study = study

    @property
    def settings(self) -> dict[str, Any]:
        """What the study was made with: space, study file, data, seed."""
        return dict(self._study.user_attrs.get("settings", {}))

    @property
    def identity(self) -> str:
        """Tells this study from a later one of the same name."""
        return str(self._study.user_attrs.get("identity", self._study.study_name))

    @property
    def digits(self) -> str:
        """Of all that decides it, as a name ends in that nobody gave; empty in older versions."""
        return str(self._study.user_attrs.get("digits", ""))

    @digits.setter
    def digits(self, digits: str) -> None:
        self._study.set_user_attr("digits", digits)

    @property
    def asked(self) -> dict[str, Any]:
        """What the user named (files, data, output), for verbs that open the study again."""
        return dict(self._study.user_attrs.get("asked", {}))

    @asked.setter
    def asked(self, asked: Mapping[str, Any]) -> None:
        self._study.set_user_attr("asked", dict(asked))

    @property
    def parallel(self) -> int:
        """How many trials this study's search has trained side by side; 0 if nothing is kept."""
        return int(self._study.user_attrs.get("parallel", 0))

    @parallel.setter
    def parallel(self, degree: int) -> None:
        self._study.set_user_attr("parallel", degree)

    @property
    def certificate(self) -> dict[str, Any]:
        """The last certificate, or an empty one."""
        return dict(self._study.user_attrs.get("certificate", {}))

    @certificate.setter
    def certificate(self, certificate: Mapping[str, Any]) -> None:
        self._study.set_user_attr("certificate", dict(certificate))

    @property
    def triage(self) -> dict[str, Any]:
        """What the last triage found, or an empty one."""
        return dict(self._study.user_attrs.get("triage", {}))

    @triage.setter
    def triage(self, triage: Mapping[str, Any]) -> None:
        self._study.set_user_attr("triage", dict(triage))

    @property
    def is_ablation(self) -> bool:
        """Whether this is no search but holds the cells of ablations."""
        return self.settings.get("kind") == ABLATIONS

    @property
    def ablations(self) -> dict[str, Any]:
        """What each ablation under this name found, by its title."""
        return dict(self._study.user_attrs.get(ABLATIONS, {}))

    def add_ablation(self, title: str, content: Mapping[str, Any]) -> None:
        """Keep what an ablation found as the last one, instead of an earlier one of that title.

        Its first sentence is the verdict.
        """
        others = {known: found for known, found in self.ablations.items() if known != title}
        self._study.set_user_attr(ABLATIONS, {**others, title: dict(content)})

    @property
    def sealed(self) -> tuple[str, ...]:
        """Marks of the sealed images that this study has looked at; empty before."""
        return tuple(self._study.user_attrs.get("sealed", ()))

    @sealed.setter
    def sealed(self, marks: Sequence[str]) -> None:
        self._study.set_user_attr("sealed", list(marks))

    def decide(self, winner: Policy, result: Mapping[str, Any]) -> None:
        """Keep the answer, in one write: its parts are never of two different ones.

        Args:
            winner: the recommended policy.
            result: what `result.json` holds, the verdict in it.
        """
        text = winner.model_dump_json(exclude_none=True)
        self._study.set_user_attr(ANSWER, {"winner": text, "result": dict(result)})

    @property
    def _answer(self) -> dict[str, Any]:
        """The last answer. Earlier versions wrote its parts one after the other, the oldest no
        result; killed before there was a winner, they have no answer."""
        attributes = self._study.user_attrs
        if ANSWER in attributes:
            return dict(attributes[ANSWER])
        if {"verdict", "winner"} <= attributes.keys():
            return {key: attributes[key] for key in ("winner", "result") if key in attributes}
        return {}

    @property
    def result(self) -> dict[str, Any]:
        """What `result.json` held at the last verdict, or an empty one."""
        return dict(self._answer.get("result", {}))

    @property
    def winner(self) -> Policy | None:
        """The recommended policy, once there is a verdict."""
        stored = self._answer.get("winner")
        return Policy.model_validate_json(stored) if stored else None

    @property
    def looks(self) -> Looks:
        """How some of the images look.

        Raises:
            KeyError: an older version made the study.
        """
        stored = self._study.user_attrs["appearance"]
        numbers = np.array(stored["numbers"], dtype=float)
        return Looks(numbers, np.array(stored["groups"], dtype=np.int64), stored["side"])

    @looks.setter
    def looks(self, looks: Looks) -> None:
        stored = {
            "numbers": looks.numbers.round(4).tolist(),
            "groups": looks.groups.tolist(),
            "side": looks.side,
        }
        self._study.set_user_attr("appearance", stored)

    @property
    def verdict(self) -> str:
        """The verdict's sentence, or an empty string while there is none."""
        if self.is_ablation:
            last: dict[str, Any] = next(reversed(self.ablations.values()), {})
            return str(next(iter(last.get("sentences", ())), ""))
        if self.result:
            return str(self.result["verdict"]["sentence"])
        # Of studies from before results were kept here.
        return str(self._study.user_attrs.get("verdict", "")) if self.winner else ""
