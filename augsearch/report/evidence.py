"""The report's second half: what the trials say, how far to trust it, what it cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from augsearch.report import figures
from augsearch.report.content import (
    Common,
    Interaction,
    ParameterFacts,
    Report,
    RungAgreement,
    Understanding,
)
from augsearch.report.html import (
    bullets,
    code,
    details,
    grid,
    heading,
    paragraph,
    plot,
    section,
    table,
)
from augsearch.words import (
    counted,
    duration,
    listed,
    points,
    probability,
    value,
)

MOST_MARGINALS, MOST_PAIRS = 9, 8


def understanding(report: Report) -> str:
    """Importance, marginals, interactions, what the best have in common."""
    found = report.understanding
    if found is None or not found.finished:
        return ""
    stopped = found.finished - found.complete
    return section(
        "parameters",
        "Which parameters matter",
        paragraph(
            f"From this study's own trials: {found.finished} finished, of them {found.complete} to "
            f"the end and {stopped} stopped early. The search looked more often where it was good, "
            "so these are hints on where to look next, not measurements; an ablation measures."
        ),
        _parameters(found),
        _weights(found),
        _marginals(found, report.metric),
        _interactions(found),
        _common(found),
    )


def silence(found: Understanding, part: str) -> str:
    """Why a part is missing."""
    return (
        f"Nothing is said of {part}: that takes {found.needed[part]} finished trials or more, and "
        f"there are {found.finished}."
    )


def basis(found: Understanding) -> str:
    """What the scores are."""
    stopped = found.finished - found.complete
    guessed = (
        f" The {stopped} that were stopped count with their last score and the median of what the "
        "others gained from there on."
        if stopped
        else ""
    )
    full = " Scores are in full, without what the search took off for cost." if found.priced else ""
    return f"From all {found.finished} finished trials.{guessed}{full}"


def parameter_sentence(one: ParameterFacts) -> str:
    """What is shown of a parameter, in words; empty if nothing is."""
    if one.moves and one.best is not None and one.worst is not None:
        shown = (
            f"{one.name}: best near {value(one.best)}, {one.effect or 0:.1f} points above "
            f"{value(one.worst)} ({counted(one.trials, 'trial')})."
        )
        return f"{shown}{_at_end(one)}{_beside(one)}"
    if one.decides:
        return (
            f"{one.name}: tells the best quarter from the others ({one.importance:.1f} times what "
            "chance reaches), but the mean score is not shown to rise or fall along it; no best "
            f"value is named ({counted(one.trials, 'trial')})."
        )
    return ""


def _beside(one: ParameterFacts) -> str:
    """What importance says beside a shown effect: the two ask different questions."""
    if one.importance is None:
        return ""
    if one.decides:
        return f" It tells the best quarter apart, {one.importance:.1f} times what chance reaches."
    return " The best quarter of the trials does not show it."


def _at_end(one: ParameterFacts) -> str:
    low, high = (value(end) for end in one.searched)
    if one.place == "end of the range":
        return f" That is the end of its range ({low} to {high}): widen the range there."
    if one.place == "end of what was tried":
        return f" No trial went further, though its range is {low} to {high}."
    return " The operation allows no value beyond." if one.place == "as far as it goes" else ""


def _parameters(found: Understanding) -> str:
    """The table that everything said of single parameters comes from."""
    if not found.parameters:
        return ""

    def shown(number: float | None, form: str) -> str:
        return "" if number is None else format(number, form)

    rows = [
        (
            one.name,
            str(one.trials),
            " to ".join(map(value, one.searched)),
            " to ".join(map(value, one.tried)),
            shown(one.importance, ".1f"),
            shown(one.effect, ".1f"),
            "" if one.p_value is None else probability(one.p_value),
            value(one.best) if one.moves and one.best is not None else "",
        )
        for one in found.parameters
    ]
    sentences = [sentence for one in found.parameters if (sentence := parameter_sentence(one))]
    return bullets(sentences) + details(
        "Every parameter",
        table(
            "Importance in multiples of what chance reaches for any parameter in one of 20 "
            "studies; effect in points between the best and the worst mean, its p-value after "
            "Holm's correction; the best value where an effect is shown",
            (
                *("parameter", "trials", "range", "tried", "importance", "effect", "p"),
                "best",
            ),
            rows,
        ),
    )


def weights_sentence(found: Understanding) -> str:
    """The finding in words; empty if there are too few trials."""
    if found.weights is None:
        return ""
    shown = [f"{w.name} ({w.over_chance:.1f})" for w in found.weights if w.shown]
    basis = f"from {found.finished} trials"
    if not shown:
        return (
            f"No parameter decides more than chance could whether a policy is among the best "
            f"quarter ({basis})."
        )
    return (
        "What decides whether a policy is among the best quarter, in multiples of what chance "
        f"reaches: {listed(shown)} ({basis})."
    )


def _weights(found: Understanding) -> str:
    if found.weights is None:
        return heading("Importance") + paragraph(silence(found, "importance"), kind="basis")
    if not found.weights:
        return ""
    return (
        heading("Importance")
        + paragraph(weights_sentence(found))
        + plot(
            figures.weights(found.weights),
            f"PED-ANOVA over {found.finished} trials, for each parameter those in which it did "
            "something; trials that were stopped count as not among the best. 1 is what chance "
            "reaches for any of the parameters in one of 20 studies; pale bars stay below it.",
        )
    )


def _marginals(found: Understanding, metric: str) -> str:
    title = heading("The score along each parameter")
    if found.marginals is None:
        return title + paragraph(silence(found, "marginal effects"), kind="basis")
    if not found.marginals:
        return ""
    shown = [m for m in found.marginals if m.shown]
    drawn = found.marginals[:MOST_MARGINALS]
    scores = [score for m in drawn for _, score in m.points]
    ends = (math.floor(100 * min(scores)) - 1.0, math.ceil(100 * max(scores)) + 1.0)
    intro = (
        ""
        if shown
        else paragraph("Along no parameter does the score change more than chance could make it.")
    )
    plots = [
        plot(
            figures.marginal(one, ends),
            f"{one.name}, {counted(one.trials, 'trial')}: "
            + (f"p-value {probability(one.p_value)}" if one.shown else "no effect shown"),
        )
        for one in drawn
    ]
    left = len(found.marginals) - len(drawn)
    rest = f" The {len(drawn)} least explained by chance of {len(found.marginals)}." if left else ""
    return (
        title
        + intro
        + grid(plots, "small")
        + paragraph(
            f"{basis(found)} Dots are trials, in % of {metric}; the line is the mean with its "
            "95 % band, from the lowest to the highest value that was tried, the other parameters "
            "held at their means where there "
            f"are trials enough; p after Holm's correction over all parameters.{rest}",
            kind="basis",
        )
    )


def interaction_sentence(one: Interaction) -> str:
    """A shown interaction in words."""
    low, high = one.effects
    return (
        f"{one.first} from {value(one.first_at[0])} to {value(one.first_at[1])} changes the score "
        f"by {points(low)} points where {one.second} is {value(one.second_at[0])}, and by "
        f"{points(high)} where it is {value(one.second_at[1])} ({counted(one.trials, 'trial')})."
    )


def _interactions(found: Understanding) -> str:
    title = heading("Pairs that depend on each other")
    if found.interactions is None:
        return title + paragraph(silence(found, "interactions"), kind="basis")
    if not found.interactions:
        return ""
    shown = [i for i in found.interactions if i.shown]
    pairs = len(found.interactions)
    intro = (
        bullets(map(interaction_sentence, shown))
        if shown
        else paragraph(
            f"Of {counted(pairs, 'pair')} none is shown to interact: either's effect may well be "
            "the same whatever the other does."
        )
    )
    drawn = found.interactions[:MOST_PAIRS]
    return (
        title
        + intro
        + plot(
            figures.interactions(drawn),
            f"The {len(drawn)} of {counted(pairs, 'pair')} that chance explains least: how "
            "much the effect of the first (from its 10th to its 90th percentile) changes with the "
            "second, with the 95 % interval of each pair alone. Pale: chance suffices, after "
            f"Holm's correction over all pairs. {basis(found)}",
        )
    )


def common_sentence(one: Common) -> str:
    """What the best quarter shares in one parameter."""
    if one.choices:
        taken = max(range(len(one.choices)), key=lambda i: one.best_shares[i] - one.rest_shares[i])
        return (
            f"{one.name} is {value(one.choices[taken])} in {100 * one.best_shares[taken]:.0f} % of "
            f"the best quarter, in {100 * one.rest_shares[taken]:.0f} % of the others."
        )

    def mostly(low: float, high: float) -> str:
        return f"at {value(low)}" if low == high else f"from {value(low)} to {value(high)}"

    return (
        f"{one.name} lies mostly {mostly(one.best[0], one.best[2])}, in the others "
        f"{mostly(one.rest[0], one.rest[2])}."
    )


def _common(found: Understanding) -> str:
    title = heading("What the best quarter has in common")
    if found.common is None:
        return title + paragraph(silence(found, "the best quarter"), kind="basis")
    if not found.common:
        return ""
    shown = [common_sentence(one) for one in found.common if one.shown]
    basis = f"The best {found.quarter} of {found.finished} trials"
    if not shown:
        return title + paragraph(
            f"{basis} have nothing in common that sets them apart from the others."
        )
    return title + paragraph(f"{basis}:") + bullets(shown)


def history(report: Report) -> str:
    """Every trial, in its order and along its training."""
    drawn = [t for t in report.trials if t.score is not None]
    if not drawn:
        return ""
    failed = report.counts.get("fail", 0)
    quarter = report.understanding.quarter if report.understanding else 0
    return section(
        "history",
        "The search",
        paragraph(
            f"{report.counts.get('complete', 0)} trials ran to their end, "
            f"{report.counts.get('pruned', 0)} were stopped early, {failed} failed. Every trial is "
            "in trials.csv."
        ),
        grid(
            [
                plot(
                    figures.history(report.trials, report.baseline, report.metric),
                    "Trials in their order. A cross: where a trial stood when it was stopped.",
                ),
                plot(
                    figures.curves(report.trials, report.metric),
                    "The same trials along their training, at the rungs where they were probed.",
                ),
            ],
            "two",
        ),
        heading("Every policy at a glance") if report.scales else "",
        plot(
            figures.parallel(drawn, report.scales, quarter),
            "Each line is a policy; its height on an axis is the value of that parameter, from the "
            "lowest to the highest that was searched.",
        )
        if report.scales
        else "",
    )


def fidelity(report: Report) -> str:
    """How far short runs can be trusted."""
    found = report.fidelity
    if found is None:
        return ""
    certificate = found.certificate
    parts: list[str] = []
    if certificate:
        budgets = (*(b.steps for b in certificate.budgets), certificate.longest)
        parts += [
            heading("The certificate"),
            paragraph(certificate.sentence, certificate.advice),
            table(
                f"Agreement with runs of {certificate.longest} steps, over "
                f"{certificate.policies} policies",
                ("steps", "rank correlation", "95 % interval", "differences to trust"),
                [
                    (
                        str(b.steps),
                        f"{b.spearman:.2f}",
                        f"{b.low:.2f} to {b.high:.2f}",
                        f"above {b.doubt:.1f} points",
                    )
                    for b in certificate.budgets
                ],
            ),
            paragraph(
                f"The search's best policy loses {max(0.0, certificate.regret):.1f} points in long "
                f"runs; the best there is {certificate.best}. {certificate.lead}"
            ),
            table(
                "The same policies at every budget, in points",
                ("policy", *(f"{steps} steps" for steps in budgets)),
                [(name, *(f"{100 * one:.1f}" for one in row)) for name, row in certificate.scores],
            ),
        ]
    rungs = [rung for rung in found.rungs if len(rung.pairs) > 2]
    if rungs:
        parts += [
            heading("Rungs against the end"),
            bullets(map(rung_sentence, rungs)),
            grid(
                [
                    plot(
                        figures.rung(one, found.steps),
                        f"Step {one.step} against step {found.steps}, "
                        f"{counted(len(one.pairs), 'run')}.",
                    )
                    for one in rungs
                ],
                "small",
            ),
        ]
    if found.proxies:
        parts += [
            heading("Scores that need no label"),
            table(found.proxies.sentence, found.proxies.columns, found.proxies.rows, text=(0, 3)),
        ]
    if parts and not certificate:
        parts.append(
            paragraph(
                "Not certified: how short runs compare with much longer ones is not known here. "
                "The verb certify finds out.",
                kind="basis",
            )
        )
    return section("fidelity", "How far to trust short runs", *parts)


def rung_sentence(one: RungAgreement) -> str:
    """The agreement of a rung in words."""
    if one.spearman is None or one.low is None or one.high is None:
        return (
            f"Step {one.step}: {counted(len(one.pairs), 'run')} that went on to the end, too few "
            "for a correlation."
        )
    return (
        f"Step {one.step}: rank correlation with the end {one.spearman:.2f} (95 % interval "
        f"{one.low:.2f} to {one.high:.2f}) over {counted(len(one.pairs), 'run')} that went on to "
        "the end; those that were stopped are not in it."
    )


def costs(report: Report) -> str:
    """Where the time went."""
    found = report.costs
    if not found.phases:
        return ""
    total = sum(seconds for _, seconds in found.phases.values())
    parts = [f"{name} {duration(seconds)}" for name, seconds in found.parts.items()]
    inside = f" A complete trial takes, in the mean: {listed(parts)}." if parts else ""
    ops = [
        (name, *("" if cost is None else f"{cost:,.1f}" for cost in several))
        for name, several in found.ops
    ]
    return section(
        "cost",
        "What it cost",
        paragraph(f"{duration(total)} of computing in all.{inside}"),
        plot(figures.phases(found), "Computing time of each phase, over all sittings.")
        if len(found.phases) > 1
        else "",
        details(
            "Runs and seconds of each phase",
            table(
                "Computing time",
                ("phase", "runs", "time"),
                [(name, str(runs), duration(s)) for name, (runs, s) in found.phases.items()],
            ),
        ),
        table(
            "Microseconds that a view of one image takes, gates taken into account",
            ("operation", *found.policies),
            [*ops, ("all", *_totals(found.ops, len(found.policies)))],
        )
        if ops
        else "",
        paragraph(found.basis, kind="basis") if ops else "",
    )


def _totals(ops: Sequence[tuple[str, tuple[float | None, ...]]], count: int) -> list[str]:
    return [f"{sum(several[i] or 0.0 for _, several in ops):,.1f}" for i in range(count)]


def reproduce(report: Report) -> str:
    """What it takes to do it again."""
    found = report.reproduce
    return section(
        "reproduce",
        "How to reproduce it",
        code(found.command),
        table("The study", ("what", "value"), list(found.facts.items()), text=(0, 1)),
        details(
            "Digests and versions",
            table("Digests", ("of", "digest"), list(found.digests.items()), text=(0, 1))
            + table("Versions", ("of", "version"), list(found.versions.items()), text=(0, 1)),
        ),
        paragraph(
            "The same seed gives the same scores on a CPU of the same kind with these versions and "
            "as many threads."
        ),
    )
