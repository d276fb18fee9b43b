"""An explanation on one page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from augsearch.explaining.result import Check, Explained
from augsearch.finetuning.result import Part
from augsearch.report.content import Report
from augsearch.report.forms import Table
from augsearch.report.sections.extra import Extra
from augsearch.report.sections.reproduce import Reproduce
from augsearch.report.sections.tabled import Tabled
from augsearch.report.sections.verdict import Headline
from augsearch.store.sealed import MANY_USES, sealed_note
from augsearch.words import counted, interval, percent


def explain_report(
    found: Explained, pictures: Mapping[str, bytes], command: str, versions: Mapping[str, str]
) -> Report:
    """The page.

    Args:
        pictures: by the names of their files.
        command: what does it again.
    """
    return Report(
        study=found.name,
        subject=f"Decisions on {found.data}",
        written=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        metric="share of sealed images",
        data=f"{found.data}: {counted(len(found.classes), 'class', 'classes')}, "
        f"{counted(found.sealed, 'sealed image')}",
        headline=Headline(
            title="Can the maps be believed?",
            finished=all(check.passed for check in found.checks),
            sentence=headline(found),
            advice="",
            basis=f"{counted(len(found.decisions), 'decision')} on sealed images explained, of "
            f"{found.sealed}; {found.wrong} of these are wrong. Looks at them by now: "
            f"{found.uses}.",
            notes=found.notes,
            warnings=(
                *(sentence for check in found.checks for sentence in check.warnings),
                *((sealed_note(found.uses),) if found.uses > MANY_USES else ()),
            ),
        ),
        sections=(
            _check_section(found),
            _decisions("Wrong decisions", "explained-wrong.png", pictures, 1),
            _decisions("Right decisions", "explained-right.png", pictures, 2),
            _landscape(found, pictures),
            _unsure(found, pictures),
            _suspects(found, pictures),
            Reproduce(command, _facts(found), found.identity, versions),
        ),
    )


def headline(found: Explained) -> str:
    """What the checks say, in a sentence."""
    good = [check.method for check in found.checks if check.passed]
    if len(good) == len(found.checks):
        return f"Yes: {' and '.join(good)} name what the scores rest on, by all checks."
    if good:
        bad = [check.method for check in found.checks if not check.passed]
        one = f"{good[0][0].upper()}{good[0][1:]}"
        return f"{one} names what the scores rest on; of {bad[0]} that is not shown."
    return "Not shown: no kind of map passes its checks."


def _share(part: Part) -> str:
    return f"{percent(part.value)} ({interval((part.low, part.high))})"


def _check_section(found: Explained) -> Tabled:
    return Tabled(
        name="checks",
        title="Checks of the maps",
        tables=(
            Table(
                "Share of decisions in %, with 95 % intervals",
                (
                    *("maps", "more than elsewhere", "more than shuffled maps"),
                    *("further than shuffled networks", "passed"),
                ),
                [_check_row(check) for check in found.checks],
                text=(0, 4),
            ),
        ),
        basis="The fifth of the image that a map names is blurred away, and the logarithm of the "
        "guess's probability falls. More than elsewhere: than by the median of 32 areas of the "
        "same shape at other places; chance is 50 %. More than shuffled maps: than by what the "
        "maps of four networks with shuffled weights name; chance is 50 %. Further than shuffled "
        "networks: than these networks' own scores fall by their own maps, all four of them; "
        "chance is 20 %. A check is passed if the interval lies above 50 %. That the scores rest "
        "on a place does not say that it is a good reason.",
    )  # fmt: skip


def _check_row(check: Check) -> tuple[str, ...]:
    return (
        check.method,
        _share(check.holds),
        _share(check.learnt),
        _share(check.explains),
        "yes" if check.passed else "no",
    )


def _decisions(title: str, file: str, pictures: Mapping[str, bytes], number: int) -> Extra:
    shown = ((title, pictures[file], title),) if file in pictures else ()
    return Extra(title=title, pictures=shown, number=number)


def _landscape(found: Explained, pictures: Mapping[str, bytes]) -> Extra:
    umap = (
        " UMAP keeps neighbours together; its distances and sizes mean nothing."
        if found.umap
        else " Install umap-learn for a second map, by UMAP."
    )
    return Extra(
        title="The images as the encoder sees them",
        basis=f"Two directions by PCA, which hold {percent(found.spread)} % of the variance: what "
        f"lies together here may lie apart in the rest.{umap}",
        pictures=(("map.csv has the points", pictures["map.png"], "features as points"),),
        number=3,
    )


def _unsure(found: Explained, pictures: Mapping[str, bytes]) -> Extra:
    picture = pictures.get("unsure.png")
    return Extra(
        title="Least sure",
        basis=f"Of {counted(found.doubtful, 'image')} of the pool whose label was not learnt from, "
        "those with the highest entropy of the calibrated probabilities, one of each group: "
        "candidates for labelling next. unsure.csv has them."
        if found.unsure
        else "",
        pictures=((("least sure first", picture, "the least sure images"),) if picture else ()),
        header=("image", "guess", "%", "or", "entropy"),
        rows=tuple(
            (one.path, one.guess, percent(one.confidence), one.second, f"{one.entropy:.2f}")
            for one in found.unsure
        ),
        text=(0, 1, 3),
        number=4,
    )


def _suspects(found: Explained, pictures: Mapping[str, bytes]) -> Extra:
    picture = pictures.get("suspects.png")
    sealed = sum(one.side == "sealed" for one in found.suspects)
    return Extra(
        title="Labels that may be wrong",
        basis=f"Found among {counted(found.judged, 'labelled image')} by confident learning, from "
        "answers of networks that have not learnt the label in question. A hard image looks the "
        "same: look before you change a label. suspects.csv has the reasons.",
        sentences=(
            f"{counted(len(found.suspects), 'label')} may be wrong, {sealed} of them on sealed "
            "images, where each changes what the classifier is said to be worth.",
        ),
        pictures=((("most doubtful first", picture, "suspected labels"),) if picture else ()),
        header=("image", "side", "label", "may be", "%", "neighbours with its label"),
        rows=tuple(
            (
                one.path, one.side, one.label, one.instead, percent(one.confidence),
                f"{one.neighbours} of {one.of}",
            )
            for one in found.suspects[:100]
        ),
        text=(0, 1, 2, 3),
        number=5,
    )  # fmt: skip


def _facts(found: Explained) -> dict[str, str]:
    facts = {"classifier": found.classifier, "layer of Grad-CAM": found.layer}
    return {what: said for what, said in facts.items() if said}
