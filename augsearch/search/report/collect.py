"""From a stored study to everything that its report shows. Reads; trains nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from augsearch.errors import ConfigError
from augsearch.report.content import Report
from augsearch.report.sections.results import Results
from augsearch.search.confirm.confirmation import scored_images
from augsearch.search.confirm.words import guessing
from augsearch.search.report.ablation import ablation_sections
from augsearch.search.report.classes import class_effects
from augsearch.search.report.cost import costs
from augsearch.search.report.fidelity import fidelity, read_certificate
from augsearch.search.report.front import front
from augsearch.search.report.headline import unfinished_headline, verdict_headline
from augsearch.search.report.history import history
from augsearch.search.report.mistakes import mistakes
from augsearch.search.report.parameters.understand import understand
from augsearch.search.report.policy import recipe, views
from augsearch.search.report.reproduce import reproduce, study_command
from augsearch.search.report.results import (
    contenders_so_far,
    judged_contenders,
    labelled,
    pair,
    placed,
)
from augsearch.search.report.worth import worth
from augsearch.search.result.outputs import data_in_words
from augsearch.search.result.result import StudyResult
from augsearch.space.handbook.handbook import unit_of
from augsearch.space.policy import Policy
from augsearch.space.space import Axis
from augsearch.store.database import is_running
from augsearch.store.stored import stored_space
from augsearch.store.study_store import Store
from augsearch.study.setup import Setup
from augsearch.study_file import StudyConfig


@dataclass(frozen=True)
class Sources:
    """Where a report's content comes from.

    Attributes:
        setup: the study with its images; None if these cannot be read.
        paint: draws a policy's views of some of them; None without a setup.
        result: None while there is no verdict.
        missing: why there is no setup, or empty.
    """

    store: Store
    config: StudyConfig
    storage: str
    setup: Setup | None
    paint: Callable[[Policy], bytes] | None
    result: StudyResult | None
    missing: str = ""

    @property
    def channels(self) -> int:
        """Of the images; 3 where it is not known."""
        if self.setup:
            return self.setup.image_set.channels
        return int(self.result.data["channels"]) if self.result else 3


def collect(sources: Sources) -> Report:
    """Everything in the report, its sections in their order."""
    store, config, result = sources.store, sources.config, sources.result
    channels = sources.channels
    contenders = (
        judged_contenders(store, result, channels)
        if result
        else contenders_so_far(store, config.confirm.top, channels)
    )
    rows = tuple(one.row for one in contenders)
    ours, theirs = pair(contenders)
    compared = [one for one in (ours, theirs) if one]
    effects = class_effects(result, ours, theirs)
    certificate = read_certificate(store)
    command = study_command(store, sources.storage, sources.setup, result)
    finished = store.finished()
    axes = _axes(sources.setup, store)
    units = {axis.name: unit_of(axis.unit) for axis in axes}
    limits = {axis.name: axis.limits for axis in axes if axis.limits}
    understanding = understand(finished, limits=limits, units=units)
    sections = (
        Results(rows, placed(contenders), _guessing(sources.setup)),
        labelled(result),
        worth(store),
        front(store, config, channels),
        views(compared, sources.paint, sources.missing),
        recipe(ours.policy, store.kept.winner if result else None)
        if ours and ours.policy
        else None,
        effects,
        mistakes(store, sources.setup, ours, theirs),
        *ablation_sections(store),
        understanding,
        history(
            store, understanding.quarter, units, result.verdict.recommended if result else None
        ),
        fidelity(store, config, certificate, result.proxies if result else None),
        costs(store, config, compared),
        reproduce(store, config, result, command),
    )
    return Report(
        study=store.name,
        subject=f"Augmentations for {store.kept.settings['data']['name']}",
        written=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        metric=config.evaluate.measured.replace("_", " "),
        data=_data(sources),
        headline=verdict_headline(
            result, len(finished), effects, certificate, config.evaluate.score, command
        )
        if result
        else unfinished_headline(
            store,
            config.search.trials,
            is_running(sources.storage, store.name),
            rows,
            certificate,
            command,
        ),
        sections=tuple(section for section in sections if section is not None),
    )


def _guessing(setup: Setup | None) -> float | None:
    """What guessing scores, where that is a mean over images."""
    images = scored_images(setup.bench) if setup else None
    return None if images is None else guessing(images)


def _axes(setup: Setup | None, store: Store) -> tuple[Axis, ...]:
    """The searched parameters, where the space can be read."""
    try:
        space = setup.space if setup else stored_space(store)
    except (ConfigError, ValidationError):
        return ()
    return space.axes()


def _data(sources: Sources) -> str:
    facts: Mapping[str, str | int] = {}
    if sources.setup:
        facts = sources.setup.data_facts
    elif sources.result:
        facts = sources.result.data
    if not facts:
        return f"Images: {sources.store.kept.settings['data']['name']}"
    return data_in_words(facts)
