"""A study's own row and page in MLflow."""

from __future__ import annotations

from augsearch.search.confirm.also import NONE, Supervised
from augsearch.search.result.next_steps import next_steps
from augsearch.search.result.proxies import PROXY_COLUMNS
from augsearch.search.result.result import StudyResult
from augsearch.store.listing import best_gain
from augsearch.store.sealed import sealed_note
from augsearch.tracking.tracker import in_percent, in_points


def parent_metrics(result: StudyResult) -> dict[str, float]:
    """What the study's own row in MLflow shows."""
    best = next(p for p in result.policies if p.name == result.verdict.recommended)
    proxies = result.proxies.proxies if result.proxies else ()
    gain = best_gain(result.model_dump(mode="json", include={"policies", "verdict"}))
    return {
        **in_percent({"confirmed": best.confirmed_mean or 0.0}),
        **({} if gain is None else in_points({"gain": gain})),
        **_supervised_metrics(result.supervised),
        **{f"trials_{state}": float(count) for state, count in result.trials.items()},
        **{f"proxy/{proxy.name}": proxy.correlation for proxy in proxies},
    }


def _supervised_metrics(found: Supervised | None) -> dict[str, float]:
    """Score of the winner, and its gain over no augmentation in points."""
    if found is None:
        return {}
    means = {policy.name: policy.mean for policy in found.policies}
    gains = {gain.against: 100 * gain.mean for gain in found.gains}
    metrics = {"supervised/score_percent": round(100 * means[found.winner], 2)}
    return metrics | ({"supervised/gain_points": gains[NONE]} if NONE in gains else {})


def description(result: StudyResult) -> str:
    """The study's page in MLflow, as Markdown."""
    rows = [
        f"| {p.name} | {100 * (p.search_score or 0):.1f} | "
        + (f"{100 * p.confirmed_mean:.1f} |" if p.confirmed_mean is not None else "not confirmed |")
        for p in result.policies
    ]
    metric = result.metric.replace("_", " ")
    return "\n".join(
        [
            f"**{result.verdict.badge}: {result.verdict.sentence}**",
            "",
            f"Next: {result.verdict.advice}",
            "",
            *(f"- {step.what}: `{step.command}`" for step in next_steps(result)),
            "",
            "How sure? "
            + " ".join(filter(None, [result.verdict.basis, sealed_note(result.sealed_split_uses)])),
            "",
            *([result.supervised.sentence, ""] if result.supervised else []),
            *([result.kept_classes.sentence, ""] if result.kept_classes else []),
            f"| policy | search, {metric} % | confirmed on the sealed test split |",
            "|---|---|---|",
            *rows,
            *_on_proxies(result),
        ]
    )


def _on_proxies(result: StudyResult) -> list[str]:
    if result.proxies is None:
        return []
    rows = (PROXY_COLUMNS, ("---",) * len(PROXY_COLUMNS), *result.proxies.rows)
    return ["", result.proxies.sentence, "", *(f"| {' | '.join(row)} |" for row in rows)]
