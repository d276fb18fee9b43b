"""What ablations found, as sections of a study's report and as a report of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import ValidationError

from augsearch.report.content import Report
from augsearch.report.sections.cost import Costs
from augsearch.report.sections.extra import Extra
from augsearch.report.sections.reproduce import Reproduce
from augsearch.report.sections.verdict import Headline
from augsearch.search.ablation.files import ablation_pictures
from augsearch.search.ablation.result import Ablation, CellResult, Gain
from augsearch.search.result.outputs import data_in_words
from augsearch.store.runs import ABLATION, SUPERVISED
from augsearch.store.study_store import Store
from augsearch.words import counted, interval, percent, points, probability

TITLES = {
    "pairs": "Which operations belong together",
    "leave-one-out": "What each operation of the policy is worth",
    "add-one": "What another operation would add",
    "strength": "How strong it should be",
    "classes": "Which class each operation helps or costs",
}
PROTOCOLS = {
    "simclr": "one branch is cropped and then augmented, the other cropped",
    "policy": "both branches are augmented",
}
CAPTIONS = {"": "", "-classes": "by class", "-gains": "over all classes"}
OTHER_VERSION = "stored by another version of augsearch; give its command once more with this one"


def ablation_sections(study: Store) -> tuple[Extra, ...]:
    """A section for every ablation of the study's images that its database holds."""
    return _numbered(
        [part for store in study.ablations_of_the_same_images() for part in _sections(store)]
    )


def _numbered(sections: Sequence[Extra]) -> tuple[Extra, ...]:
    return tuple(replace(section, number=number) for number, section in enumerate(sections, 1))


def ablation_report(store: Store, running: bool) -> Report:
    """The report of what is stored under the name of an ablation.

    Args:
        running: whether another process is adding to it.
    """
    found = _ablations(store)
    last = found[-1] if found else None
    phases = {}
    for phase in (ABLATION, SUPERVISED):
        seconds = [outcome.seconds["total"] for outcome in store.outcomes(phase).values()]
        if seconds:
            phases[phase] = (len(seconds), sum(seconds))
    data = store.kept.settings["data"]
    facts = {
        "in the directory": str(store.kept.asked.get("directory", "")),
        "by a command": str(store.kept.asked.get("in_python", "")),
        "seed": str(store.kept.settings["seed"]),
        "space": str(store.kept.asked.get("space_name", "")),
    }
    if last:
        facts |= {
            "seeds of a cell": f"{last.seeds[0]} to {last.seeds[-1]}",
            "steps of a run": str(last.steps),
            "device": last.device,
        }
    return Report(
        study=store.name,
        subject=f"Ablation on {data['name']}",
        written=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        metric=last.metric.replace("_", " ") if last else "",
        data=data_in_words(last.data) if last else f"Images: {data['name']}",
        headline=_headline(store, last, running),
        sections=(
            *_numbered(_sections(store)),
            Costs(phases, {}, (), (), ""),
            Reproduce(
                command=str(store.kept.asked.get("command", "")),
                facts={what: said for what, said in facts.items() if said},
                digests={"data": data["digest"]},
                versions=last.versions if last else {},
            ),
        ),
    )


def _headline(store: Store, last: Ablation | None, running: bool) -> Headline:
    done = counted(len(store.all_runs()), "run")
    if last is None and store.kept.ablations:
        return Headline(
            title="No result that this version can read",
            finished=False,
            sentence=f"What this ablation found was {OTHER_VERSION}.",
            advice="Its runs are kept and are not trained again: "
            f"{store.kept.asked.get('command', '')}",
            basis="",
        )
    if last is None:
        state = "is still running" if running else "did not come to its end"
        return Headline(
            title="No result yet",
            finished=False,
            sentence=f"This ablation {state}: {done} done.",
            advice="`ablate` writes the report by itself when it ends."
            if running
            else f"Go on with: {store.kept.asked.get('command', '')}",
            basis="",
        )
    warning = "An ablation under this name is running; what it finds is not in here yet."
    return Headline(
        title="What was found",
        finished=True,
        sentence=_plain(last.sentences[0]),
        advice="",
        basis="Scores of validation images: they say what to try, and a search confirms its winner "
        "on sealed ones.",
        warnings=(warning,) if running else (),
    )


def _ablations(store: Store) -> list[Ablation]:
    """Those that this version can read, the last one last."""
    found = []
    for content in store.kept.ablations.values():
        try:
            found.append(Ablation.model_validate(content))
        except ValidationError:
            continue
    return found


def _sections(store: Store) -> tuple[Extra, ...]:
    found = _ablations(store)
    unread = len(store.kept.ablations) - len(found)
    notes = (f"{counted(unread, 'result')} {OTHER_VERSION}",) if unread else ()
    sections = tuple(map(ablation_section, reversed(found)))  # the headline is of the last
    return (*sections, Extra(f"Ablation {store.name}", sentences=notes)) if notes else sections


def ablation_section(found: Ablation) -> Extra:
    """One ablation: its findings, its pictures, its numbers."""
    swept = f": {found.ops[0]}" if found.mode == "strength" else ""
    protocol = f"; {PROTOCOLS[found.protocol]}" if found.protocol else ""
    header, rows, text = _numbers(found)
    return Extra(
        title=TITLES[found.mode] + swept,
        basis=f"Ablation {found.study}: {counted(len(found.cells), 'cell')}, "
        f"{len(found.seeds)} seeds of {found.steps} steps each, {found.metric.replace('_', ' ')} "
        f"on validation images{protocol}.",
        sentences=tuple(map(_plain, found.sentences)),
        pictures=tuple(
            (CAPTIONS[suffix], png, f"{TITLES[found.mode]}{swept}. {_plain(found.sentences[0])}")
            for suffix, png in ablation_pictures(found).items()
        ),
        header=header,
        rows=rows,
        text=text,
    )


def _plain(sentence: str) -> str:
    """Names stand between backticks in a terminal and in MLflow, whose text is Markdown."""
    return sentence.replace("`", "")


Table = tuple[tuple[str, ...], tuple[tuple[str, ...], ...], tuple[int, ...]]
"""Header, rows, columns that are no numbers."""


def _numbers(found: Ablation) -> Table:
    if found.mode == "pairs":
        header = ("first", "second", "mean, %", "95 % interval", "over the better alone")
        pairs = [(cell.op, cell.second if cell.second != cell.op else "") for cell in found.cells]
        cells = zip(pairs, found.cells, strict=True)
        return (
            (*header, "95 % interval", "p"),
            tuple((*pair, *_mean(cell), *_gain(cell.gain)) for pair, cell in cells),
            (0, 1),
        )
    if found.mode == "strength":
        return (
            ("strength", "training", "mean, %", "95 % interval"),
            tuple(
                (f"{100 * (cell.share or 0):.0f} %", cell.training, *_mean(cell))
                for cell in found.cells
            ),
            (0, 1),
        )
    whole = [(one.op, "all classes", one.gain) for one in found.op_gains]
    parts = [(one.op, one.label, one.gain) for one in found.class_gains]
    return (
        ("operation", "of", "gain, points", "95 % interval", "p"),
        tuple((op, of, *_gain(gain)) for op, of, gain in (*whole, *parts)),
        (0, 1),
    )


def _mean(cell: CellResult) -> tuple[str, str]:
    return percent(cell.mean) or "failed", interval(cell.interval)


def _gain(gain: Gain | None) -> Sequence[str]:
    if gain is None:
        return "", "", ""
    low, high = gain.interval
    return points(gain.points), f"{points(low)} to {points(high)}", probability(gain.p_value)
