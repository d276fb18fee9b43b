"""How far a trial's score can be trusted, and what makes it more trustworthy.

    uv run python -m benchmarks.scores.reliability path/to/neu_cls --space factory [--make]

For 16 policies spread over a space (the four baselines and 12 Sobol points) and several seeds:

- reliability: the share of the variance of scores that lies between policies, as the intraclass
  correlation ICC(C,1) with its 95 % interval (McGraw and Wong 1996, two-way, consistency: all
  policies meet the same seeds), and the signal-to-noise ratio per CPU-minute, which repeating a
  trial does not change;
- common random numbers: how much the variance of a difference between two policies falls because
  they share their seed;
- fidelity: Spearman's and Kendall's rank correlation, with intervals (Bonett and Wright 2000),
  between a short run of one seed and a run of `LONG` steps of another, both scored alike;
- bias: points by which the short ranking changes with a policy's strength, from the regression of
  (long less short) on how far apart its two views are.

`--make` first trains what is missing; it may be stopped and goes on. Runs lie in `--runs`, the
summary of their scores in benchmarks/tables/reliability-<data>.csv, from which everything is
printed, and results/reliability-<data>.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from augsearch.stats.ranks import (
    kendall,
    kendall_interval,
    reliability,
    slope,
    spearman,
    spearman_interval,
)
from benchmarks.scores.ways import BASE, LONG, evaluations, settings
from benchmarks.shared.folders import PICTURES, TABLES
from benchmarks.shared.runs import (
    Job,
    bench_of,
    images_of,
    inner_folds_score,
    make_runs,
    probe_score,
    read_run,
    spread_policies,
    strength_of,
)
from benchmarks.shared.timing import write_result

POLICIES = 16
BASELINES = ("crop_only", "SimCLR_s=0.5", "SimCLR_s=1", "TrivialAugment")
COLUMNS = ["setting", "policy", "seed", "what", "score", "cpu_seconds"]
Line = dict[str, Any]
"""What `summary` says of one setting and way to score."""
PANELS = {"300 steps": BASE, "600 steps": "steps 600", "1,200 steps": "steps 1200"}


# From kept features to a table of scores


def scores_of(job: Job, probes: bool) -> Iterator[tuple[str, float, float]]:
    """(what, score, CPU-seconds) of everything that a run's features tell."""
    run = read_run(job)
    if run is None:
        return
    bench = bench_of(job.setting)
    at = [probe_score(bench, features) for features in run.features]
    yield "end", at[-1], run.cpu_seconds
    for step, score in zip(run.steps[:-1], at[:-1], strict=True):
        yield f"look {step / run.steps[-1]:.2f}", score, run.cpu_seconds * step / run.steps[-1]
    yield "mean of last two", float(np.mean(at[-2:])), run.cpu_seconds
    # A line through the last three looks over the logarithm of steps, followed eight times as far.
    rise = np.polyfit(np.log(run.steps[-3:]), at[-3:], 1)
    yield "extrapolated", float(np.polyval(rise, np.log(8 * run.steps[-1]))), run.cpu_seconds
    yield "averaged weights", probe_score(bench, run.averaged), run.cpu_seconds
    if probes:
        for name, changes in evaluations().items():
            evaluate = bench.config.evaluate.model_copy(update=changes)
            yield name, probe_score(bench, run.features[-1], evaluate), run.cpu_seconds
        yield "inner folds", inner_folds_score(bench, run.features[-1]), run.cpu_seconds


def scored(table: Path) -> pd.DataFrame:
    return pd.read_csv(table) if table.exists() else pd.DataFrame(columns=COLUMNS)


def scored_runs(table: Path) -> set[tuple[str, str, int]]:
    known = scored(table)
    return set(zip(known.setting, known.policy, known.seed, strict=True))


def tabulate(jobs: Sequence[Job], table: Path) -> pd.DataFrame:
    """Scores of all runs that are there; a run that is in the table already is not scored again."""
    known, have = scored(table), scored_runs(table)
    rows = [
        (job.setting.name, job.name, job.replicate, what, round(score, 4), round(cpu, 1))
        for job in jobs
        if (job.setting.name, job.name, job.replicate) not in have
        for what, score, cpu in scores_of(job, probes=job.setting.name in (BASE, LONG))
    ]
    if not rows:
        return known
    fresh = pd.DataFrame(rows, columns=COLUMNS)
    scores = pd.concat([known, fresh], ignore_index=True) if len(known) else fresh
    table.parent.mkdir(exist_ok=True)
    scores.to_csv(table, index=False)
    return scores


# Statistics


def rank_correlation(one: pd.Series[float], other: pd.Series[float]) -> float:
    return spearman(np.asarray(one, np.float64), np.asarray(other, np.float64)).value


def matrix(scores: pd.DataFrame, setting: str, what: str) -> pd.DataFrame:
    """Policies × seeds of one way to score, only policies that have every seed."""
    own = scores[(scores.setting == setting) & (scores.what == what)]
    return own.pivot_table(index="policy", columns="seed", values="score").dropna()


def summary(scores: pd.DataFrame, strength: pd.Series) -> list[Line]:
    """A line for every (setting, way to score) that can be judged."""
    truths = {what: matrix(scores, LONG, what) for what in ("end", *evaluations(), "inner folds")}
    lines: list[Line] = []
    for setting, what in product(scores.setting.unique(), scores.what.unique()):
        found = matrix(scores, setting, what)
        if setting == LONG or len(found) < 8:
            continue
        own = scores[(scores.setting == setting) & (scores.what == what)]
        line: Line = {
            "setting": setting,
            "what": what,
            "policies": len(found),
            "seeds": found.shape[1],
            "cpu_seconds": float(own.cpu_seconds.median()),
        }
        if found.shape[1] > 1:
            r = reliability(100 * found.to_numpy())
            noise = (r.sd_between / r.sd_within) ** 2
            line |= {"reliability": asdict(r), "snr_per_minute": 60 * noise / line["cpu_seconds"]}
            line["icc_two_seeds"] = reliability(100 * found.to_numpy()[:, :2]).icc.value
        long = truths.get(what, truths["end"])
        truth = long.mean(axis=1)
        common = found.index.intersection(truth.index)
        if len(common) >= 8:
            # One seed is what a trial has: the mean over seeds of its correlation. A seed of the
            # long runs would be its own judge.
            seeds = [s for s in found.columns if s not in long.columns] or list(found.columns)
            ranks = [rank_correlation(found.loc[common, s], truth[common]) for s in seeds]
            judged = truth[common].to_numpy()
            pairs = [kendall(found.loc[common, s].to_numpy(), judged).value for s in seeds]
            line["spearman_one_seed"] = asdict(
                spearman_interval(float(np.mean(ranks)), len(common))
            )
            line["kendall_one_seed"] = asdict(kendall_interval(float(np.mean(pairs)), len(common)))
            mean = found.loc[common].mean(axis=1)
            line["spearman_all_seeds"] = asdict(spearman(mean.to_numpy(), judged))
            gain = 100 * (truth[common] - mean)
            line["bias_per_strength"] = asdict(slope(strength[common].to_numpy(), gain.to_numpy()))
        lines.append(line)
    return lines


def shrinkage(
    scores: pd.DataFrame, strength: pd.Series, few: int = 6, repeats: int = 500
) -> dict[str, float]:
    """A correction by strength that is learned from a few long runs, and judged by the others.

    The gain from the short to the long run is regressed on the policy's strength over `few`
    policies drawn at random; the rest are ranked with and without what that line adds.

    Returns:
        Mean rank correlation of one seed's short scores with the long ones, `as they are` and
        `corrected`, and the share of draws in which the correction `helps`.
    """
    truth = matrix(scores, LONG, "end").mean(axis=1)
    short = matrix(scores, BASE, "end")
    both = short.index.intersection(truth.index)
    rng, plain, corrected = np.random.default_rng(0), [], []
    for _ in range(repeats):
        order = rng.permutation(both.to_numpy())
        known, rest = order[:few], order[few:]
        seed = rng.choice(short.columns.to_numpy())
        gain = truth[known] - short.loc[known, seed]
        line = np.polyfit(strength[known], gain, 1)
        now = short.loc[rest, seed]
        plain.append(rank_correlation(now, truth[rest]))
        corrected.append(rank_correlation(now + np.polyval(line, strength[rest]), truth[rest]))
    helps = np.mean(np.array(corrected) > np.array(plain))
    return {
        "long runs": few,
        "as they are": float(np.mean(plain)),
        "corrected": float(np.mean(corrected)),
        "helps": float(helps),
    }


def show(lines: Sequence[Line]) -> None:
    head = f"{'setting':16} {'scored by':17} {'CPU s':>6} {'seeds':>5}  {'ICC':^17}"
    head += f" {'of 2':>4} {'S/N a min':>9}  {'Spearman, 1 seed':^18} {'all seeds':>9} "
    head += f"{'Kendall, 1 seed':^18}"
    print(f"{head}  bias")
    for line in lines:
        text = f"{line['setting']:16} {line['what']:17} {line['cpu_seconds']:6.1f} "
        text += f"{line['seeds']:5}  "
        r = line.get("reliability")
        i = r["icc"] if r else {}
        text += f"{i['value']:.2f} ({i['low']:.2f}..{i['high']:.2f}) " if r else " " * 18
        two = f"{line['icc_two_seeds']:4.2f} {line['snr_per_minute']:9.1f}  " if r else " " * 16
        text += two
        if "spearman_one_seed" in line:
            s, a = line["spearman_one_seed"], line["spearman_all_seeds"]
            k, b = line["kendall_one_seed"], line["bias_per_strength"]
            text += f"{s['value']:.2f} ({s['low']:.2f}..{s['high']:.2f}) {a['value']:9.2f} "
            text += f"{k['value']:.2f} ({k['low']:.2f}..{k['high']:.2f}) "
            text += f" {b['value']:+.1f} ({b['low']:+.1f}..{b['high']:+.1f})"
        print(text)


def picture(scores: pd.DataFrame, name: str) -> None:
    """Short runs against long ones: a panel for each number of steps, a point for each policy."""
    from matplotlib.figure import Figure

    truth = 100 * matrix(scores, LONG, "end").mean(axis=1)
    found = {title: 100 * matrix(scores, setting, "end").mean(axis=1)
             for title, setting in PANELS.items()}  # fmt: skip
    shown = {title: means for title, means in found.items() if len(means) == len(truth)}
    if not shown or truth.empty:
        return
    figure = Figure(figsize=(3.4 * len(shown), 3.6), dpi=130, layout="constrained")
    for axes, (title, means) in zip(
        figure.subplots(1, len(shown), sharey=True, squeeze=False)[0], shown.items(), strict=True
    ):
        own = truth[means.index]
        axes.scatter(means, own, color="#0b6e4f", s=26)
        left = means.quantile(0.15)
        for policy in set(BASELINES) & set(own.index):
            offset, align = (6, "left") if means[policy] < left else (-6, "right")
            axes.annotate(policy.replace("_", " "), (means[policy], own[policy]), (offset, -3),
                          textcoords="offset points", fontsize=7.5, color="#545e64",
                          ha=align)  # fmt: skip
        axes.set_title(f"{title}: ρ {rank_correlation(means, own):.2f}", loc="left", fontsize=10)
        axes.set_xlabel("score of a short run, %")
        axes.grid(color="#e3e6e8")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0.18)
    figure.axes[0].set_ylabel("score after 4,800 steps, %")
    figure.savefig(PICTURES / f"reliability-{name}.png")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="a folder of images, or surfaces/<label>")
    parser.add_argument("--space", default="factory")
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--make", action="store_true", help="train what is missing")
    parser.add_argument("--only", default="", help="settings, separated by commas")
    parser.add_argument("--seeds", type=int, default=4, help="of a setting, at most")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    name = Path(options.data).name
    folder = options.runs / f"{name}-{options.space}"
    wanted = [text for text in options.only.split(",") if text]
    chosen = [(s, n) for s, n in settings(options.data) if not wanted or s.name in wanted]
    channels = images_of(options.data, 32, "crop").channels
    policies = list(spread_policies(options.space, POLICIES, channels))
    jobs = [
        Job(setting, folder, policy_name, policy.model_dump_json(exclude_none=True), replicate)
        for setting, seeds in chosen
        for replicate in range(1, min(seeds, options.seeds) + 1)
        for policy_name, policy in policies
    ]
    table = TABLES / f"reliability-{name}.csv"
    if options.make:
        have = scored_runs(table)
        missing = [j for j in jobs if (j.setting.name, j.name, j.replicate) not in have]
        make_runs(missing, options.processes)
    scores = tabulate(jobs, table)
    bench = bench_of(settings(options.data)[0][0])
    strength = pd.Series({key: strength_of(bench, policy) for key, policy in policies})
    lines = summary(scores, strength)
    show(lines)
    picture(scores, name)
    judged = min(len(matrix(scores, setting, "end")) for setting in (BASE, LONG))
    learned = shrinkage(scores, strength) if judged >= 12 else {}
    if learned:
        print("correction by strength, learned from", ", ".join(
            f"{key} {value:.2f}" for key, value in learned.items()))  # fmt: skip
    content = {"lines": lines, "strength": strength.to_dict(), "learned correction": learned}
    print(write_result(f"reliability-{name}", content))


if __name__ == "__main__":
    main()
