"""How far short runs can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from augsearch.bench.outcome import Outcome
from augsearch.report.sections.fidelity import (
    BudgetAgreement,
    CertificateRead,
    Fidelity,
    ProxiesRead,
    RungAgreement,
)
from augsearch.search.certificate.certificate import Certificate
from augsearch.search.result.proxies import PROXY_COLUMNS, ProxyAudit
from augsearch.stats.ranks import spearman
from augsearch.store.runs import BASELINE
from augsearch.store.study_store import Store
from augsearch.study_file import StudyConfig

FEWEST_PAIRS = 10
"""Runs below which no rank correlation of a rung is shown."""


def fidelity(
    store: Store,
    config: StudyConfig,
    certificate: CertificateRead | None,
    proxies: ProxyAudit | None,
) -> Fidelity:
    """Rungs against the end, the certificate, proxies."""
    outcomes = [outcome for _, outcome in store.complete()]
    outcomes += store.outcomes(BASELINE).values()
    return Fidelity(
        steps=config.pretrain.steps,
        rungs=tuple(_rung(outcomes, step) for step in config.rungs),
        certificate=certificate,
        proxies=ProxiesRead(proxies.sentence, PROXY_COLUMNS, proxies.rows) if proxies else None,
    )


def _rung(outcomes: Sequence[Outcome], step: int) -> RungAgreement:
    curves = [(dict(outcome.curve), outcome.score) for outcome in outcomes]
    pairs = tuple((curve[step], score) for curve, score in curves if step in curve)
    columns = np.array(pairs, dtype=float).reshape(-1, 2).T
    if len(pairs) < FEWEST_PAIRS or not np.ptp(columns, axis=1).all():
        return RungAgreement(step, pairs, None, None, None)
    seen = spearman(*columns)
    return RungAgreement(step, pairs, seen.value, seen.low, seen.high)


def read_certificate(store: Store) -> CertificateRead | None:
    """The study's certificate, if it has one."""
    if not store.kept.certificate:
        return None
    found = Certificate.model_validate(store.kept.certificate)
    return CertificateRead(
        sentence=found.sentence,
        advice=found.advice,
        longest=found.longest,
        policies=found.policies,
        regret=found.regret,
        best=found.best,
        budgets=tuple(
            BudgetAgreement(b.steps, b.spearman, *b.interval, b.doubt) for b in found.budgets
        ),
        lead=found.lead_words,
        scores=tuple(
            (one.name, (one.short, *(one.mean(steps) for steps in sorted(one.scores))))
            for one in found.tried
        ),
    )
