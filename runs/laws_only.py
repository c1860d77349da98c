"""An implementation judged by the laws alone: `fuzz --laws-only`, for who audits it and trusts no model of it."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from typing import Any

from marginspec.base.errors import NothingCompared
from marginspec.base.process import progress
from marginspec.lockstep.campaign import Campaign, Found
from marginspec.lockstep.comparison import LockStep
from marginspec.lockstep.monitor import run
from marginspec.lockstep.rehearsal import rehearse
from marginspec.lockstep.trace import Trace, trace_of
from marginspec.runs.documents import campaign_document
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate
from marginspec.targets.protocol import Target


def laws_document(
    chosen: System,
    implementation: Target,
    target: str,
    steps: int,
    seed: int,
    builds: Sequence[Candidate],
    allowed: Collection[str] = (),
) -> dict[str, Any]:
    """Run the monitor, with progress, keep its trace, and describe: `marginspec/fuzz/1` with `laws` and `violations`.

    A broken law is among the divergences too, so that who knows nothing of laws sees a run that failed. `comparisons`
    are cases in which a law was judged. allowed: functions that no action need call.

    Raises what `monitor.run` does, and NothingCompared when no law was judged.
    """
    claims = chosen.chapter.properties
    with progress("judging", steps) as advance:
        seen = run(chosen.model, implementation, claims, steps, seed, advance)
    if not seen.tally.comparisons and not seen.ended:
        raise NothingCompared(f"{implementation.name}: {seen.tally.steps} steps, no law judged")
    found = [] if seen.violation is None else [Found(seen.violation.divergence, seen.violation.trace)]
    campaign = Campaign(seen.tally, found, seed, seen.seconds, seen.unreached, seen.limits, seen.ended)
    against_model = functools.partial(_against_model, chosen, implementation)
    document = campaign_document(chosen, campaign, target, builds, against_model, allowed)
    return {
        **document,
        "laws": dict(seen.judged),
        "violations": [
            {
                "law": each.divergence.field,
                "text": each.divergence.model,
                "action": each.divergence.rule,
                "case": each.divergence.target,
                **{name: row[name] for name in ("trace", "steps", "exports", "repeat")},
            }
            for each, row in zip(found, document["divergences"], strict=True)
        ],
        "broken": list(seen.broken),
    }


def _against_model(chosen: System, implementation: Target, trace: Trace) -> Trace | None:
    """The calls up to where the implementation leaves the model, which keeps the law; None where it does not."""
    left = LockStep(chosen.model, implementation).run(rehearse(chosen.model, trace.calls), recheck=True)
    if left is None:
        return None
    done, divergence = left
    return trace_of(chosen.model, trace.target, trace.seed, trace.calls[:done], divergence, trace.build)
