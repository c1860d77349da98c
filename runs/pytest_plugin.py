"""Every law, and slices of the lock-step run, as tests of the project that runs `pytest --marginspec SYSTEM`.

Loaded by `marginspec_pytest`, which has the options, only where they are given.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from rich.console import Console

from marginspec.base.errors import BadInput, NothingCompared, TargetFailed
from marginspec.lockstep.campaign import run
from marginspec.lockstep.floor import hidden
from marginspec.properties.law import Property
from marginspec.prover.prove import Prover
from marginspec.report.terminal import show_fuzz, show_prove
from marginspec.results.documents import prove_code, prove_document
from marginspec.results.settings import read_settings
from marginspec.runs.documents import campaign_document
from marginspec.systems.registry import system
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate, candidates
from marginspec.targets.protocol import Target

SLICE = 2_500
"""Steps of one test of the lock-step run: a second or so of one core, so that workers share a run evenly."""

PROPERTY = "marginspec"
"""What a report carries for the summary, from a worker too."""


FLOOR = ("actions", "never_refused", "not_executed", "not_refused", "unmodelled", "allowed_unmodelled")
"""Of a document, what says together with others whether a run reached the floor."""


class Plugin:
    """The hooks. Bad input is pytest's UsageError, before anything is collected."""

    def __init__(self, config: pytest.Config) -> None:
        self._told: list[dict[str, Any]] = []
        try:
            self._chosen = system(config.getoption("--marginspec"))
            candidates(config.getoption("--artifact"))
        except BadInput as error:
            raise pytest.UsageError(f"marginspec: {error}") from None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Add the tests, before others select among them."""
        suite = Suite.from_parent(session, name="marginspec", nodeid="marginspec", chosen=self._chosen)
        config.add_cleanup(suite.close)
        report = session.ihook.pytest_make_collect_report(collector=suite)
        session.ihook.pytest_collectreport(report=report)  # or others would count less than they are
        items.extend(report.result)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what the tests of all workers tell."""
        if report.when == "call":
            self._told += [json.loads(str(text)) for name, text in report.user_properties if name == PROPERTY]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What all slices compared and reached together, and every declared difference: these are never hidden."""
        if self._told:
            terminalreporter.section("marginspec", sep="-")
            for line in summary_lines(self._told):
                terminalreporter.write_line(line)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """A whole run that is below the floor fails, although each of its tests passed; a part of one does not."""
        whole = sum(each.get("steps", 0) for each in self._told) == session.config.getoption("--marginspec-steps")
        if exitstatus == pytest.ExitCode.OK and whole and lacking_lines(self._told):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


class Suite(pytest.Collector):
    """All tests of a system, with the implementation that they share in this process."""

    def __init__(self, *, chosen: System, **others: Any) -> None:
        super().__init__(**others)
        self.chosen = chosen
        self._implementation: Target | None = None

    def collect(self) -> Iterator[pytest.Item]:
        for claim in self.chosen.chapter.properties:
            yield LawItem.from_parent(self, name=f"law[{claim.id}]", claim=claim)
        steps, seed = self.config.getoption("--marginspec-steps"), self.config.getoption("--marginspec-seed")
        for number, start in enumerate(range(0, steps, SLICE)):
            length = min(SLICE, steps - start)
            yield Slice.from_parent(self, name=f"lock-step[seed={seed + number}]", seed=seed + number, steps=length)

    @property
    def target(self) -> str:
        return str(self.config.getoption("--marginspec-target"))

    @functools.cached_property
    def builds(self) -> list[Candidate]:
        return candidates(self.config.getoption("--artifact"))

    def implementation(self) -> Target:
        """Opened when it is first needed."""
        if self._implementation is None:
            self._implementation = self.chosen.open(self.target, self.builds)
        return self._implementation

    def close(self) -> None:
        """Release what was opened."""
        if self._implementation is not None:
            self._implementation.close()


class Failed(Exception):  # noqa: N818 - pytest's word for it
    """A law or a comparison did not hold: the text that the command line shows."""


class _Test(pytest.Item):
    """What both kinds of tests have in common."""

    parent: Suite

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        if excinfo.errisinstance((Failed, BadInput, TargetFailed, NothingCompared)):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def tell(self, document: dict[str, Any], text: str, wrong: str | None) -> None:
        """Let the summary count what the document says; show the text, as the failure if something is wrong."""
        self.user_properties.append((PROPERTY, json.dumps(document)))
        if wrong is not None:
            raise Failed(f"{wrong}\n{text}")
        self.add_report_section("call", PROPERTY, text)


class LawItem(_Test):
    """A law: proved, and confirmed by a second solver, or a failure."""

    def __init__(self, *, claim: Property, **others: Any) -> None:
        super().__init__(**others)
        self._claim = claim

    def runtest(self) -> None:
        verdict = Prover(self.parent.chosen.model).prove(self._claim)
        document = prove_document(self.parent.chosen.name, [verdict], verdict.seconds)
        text = _shown(lambda console: show_prove(document, console, every=True))
        wrong = verdict.verdict if verdict.verdict != "proved" else "not confirmed by a second solver"
        self.tell({"laws": 1}, text, f"{verdict.id} {wrong}" if prove_code(document) else None)

    def reportinfo(self) -> tuple[str, int | None, str]:
        return "marginspec", None, f"{self._claim.id}: {self._claim.law}"


class Slice(_Test):
    """A part of the lock-step run, from a seed of its own."""

    def __init__(self, *, seed: int, steps: int, **others: Any) -> None:
        super().__init__(**others)
        self._seed, self._steps = seed, steps

    def runtest(self) -> None:
        suite = self.parent
        campaign = run(suite.chosen.model, suite.implementation(), self._steps, self._seed)
        allowed = read_settings(suite.config.rootpath).allow_unmodelled
        document = campaign_document(suite.chosen, campaign, suite.target, suite.builds, allowed=allowed)
        text = _shown(lambda console: show_fuzz(document, console))
        told = {key: document[key] for key in ("steps", "comparisons", "declared", "rules", "regimes", *FLOOR)}
        told["hidden"] = hidden(campaign.tally, campaign.limits)
        wrong = [f"divergence at {found['rule']}, {found['field']}" for found in document["divergences"]]
        self.tell(told, text, wrong[0] if wrong else None)

    def reportinfo(self) -> tuple[str, int | None, str]:
        return "marginspec", None, f"lock-step run of {self._steps} calls, seed {self._seed}"


def _shown(show: Callable[[Console], None]) -> str:
    """What the command line prints."""
    stream = io.StringIO()
    show(Console(file=stream, width=120, soft_wrap=True, highlight=False, color_system=None))
    return stream.getvalue().rstrip()


def summary_lines(told: Sequence[dict[str, Any]]) -> list[str]:
    """What tests told, added up."""
    slices = [each for each in told if "steps" in each]
    hits: dict[str, int] = {}
    declared: dict[tuple[str, str], int] = {}
    for each in slices:
        for name, count in (*each["rules"].items(), *each["regimes"].items()):
            hits[name] = hits.get(name, 0) + count
        for found in each["declared"]:
            key = found["id"], found["reason"]
            declared[key] = declared.get(key, 0) + found["count"]
    steps, values = (sum(each[key] for each in slices) for key in ("steps", "comparisons"))
    lines = [f"{len(told) - len(slices)} laws tried, {steps:,} steps, {values:,} values compared"]
    if missed := [name for name, count in hits.items() if not count]:
        lines.append(f"not reached: {', '.join(missed)}")
    lines += [f"incomplete: {line}" for line in lacking_lines(told)]
    return lines + [f"declared {id}, {count:,} times: {reason}" for (id, reason), count in sorted(declared.items())]


def lacking_lines(told: Sequence[dict[str, Any]]) -> list[str]:
    """What all slices together did not see, in lines."""
    slices = [each for each in told if "actions" in each]
    lines = []
    for action in slices[0]["actions"] if slices else ():
        accepted, refused = (sum(each["actions"][action][how] for each in slices) for how in ("accepted", "refused"))
        known = slices[0]
        missing = [] if accepted else ["accepted"]
        missing += [] if refused or action in known["never_refused"] or action in known["not_refused"] else ["refused"]
        if missing and action not in known["not_executed"]:
            lines.append(f"{action}: never {' or '.join(missing)}")
    for name in slices[0]["unmodelled"] if slices else ():
        if all(name in each["unmodelled"] and name not in each["allowed_unmodelled"] for each in slices):
            lines.append(f"unmodelled, no action calls it: {name}")
    if unshown := sorted({name for each in slices for name in each["hidden"]}):
        lines.append(f"changed by calls, and not shown by the implementation: {', '.join(unshown)}")
    return lines
