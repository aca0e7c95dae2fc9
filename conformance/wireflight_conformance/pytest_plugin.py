"""The cases of a server as pytest items, for those who want their fixtures and reports.

With ``--wireflight-url URL`` or ``--wireflight-embedded`` every case is an item of its own; without
them the plugin adds nothing and imports nothing of the suite.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wireflight_conformance.cases import Case
    from wireflight_conformance.driver import Settings
    from wireflight_conformance.verdicts import CaseResult
    from wireflight_conformance.wire.connection import Target

__all__ = ["WireflightItem", "WireflightSuite"]


class CaseFailedError(Exception):
    """The case has a red verdict."""

    def __init__(self, result: CaseResult) -> None:
        super().__init__(result.case)
        self.result = result


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("wireflight", "conformance of a Wireflight server")
    group.addoption("--wireflight-url", metavar="URL", help="the server to drive")
    group.addoption(
        "--wireflight-embedded", action="store_true", help="drive the reference, started here"
    )
    group.addoption(
        "--wireflight-profile",
        choices=("smoke", "quick", "full"),
        default="quick",
        metavar="NAME",
        help="smoke, quick (default) or full, as of wireflight-conformance",
    )
    group.addoption("--wireflight-strict", action="store_true", help="a SHOULD fails as well")


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add an item for each case, after the tests of the files.

    Raises:
        UsageError: Both targets are named, or the one that is cannot be driven.
    """
    url, embedded = config.getoption("--wireflight-url"), config.getoption("--wireflight-embedded")
    if not url and not embedded:
        return
    if url and embedded:
        raise pytest.UsageError("--wireflight-url and --wireflight-embedded name two targets")
    suite = WireflightSuite.from_parent(session, name="wireflight", nodeid="wireflight")
    items.extend(suite.collect())


class WireflightSuite(pytest.Collector):
    """All cases, and the target that they share."""

    settings: Settings

    def collect(self) -> Iterator[WireflightItem]:
        """Yield an item for each case of the profile."""
        from wireflight_conformance.cases import load_cases, select

        self.settings = self._discover()
        profile = self.config.getoption("--wireflight-profile")
        for case in select(load_cases().values(), (), profile):
            yield WireflightItem.from_parent(self, name=case.id, case=case)

    def _discover(self) -> Settings:
        from wireflight_conformance.modes.server import NoTargetError, discover

        try:
            return discover(self._target(), 5.0)
        except (NoTargetError, ValueError) as error:
            raise pytest.UsageError(str(error)) from error

    def _target(self) -> Target:
        from wireflight_conformance.wire.connection import Target

        url = self.config.getoption("--wireflight-url")
        if url:
            return Target.from_url(url)
        from wireflight_conformance.embedded.server import serve_fixture

        stack = ExitStack()
        self.config.add_cleanup(stack.close)
        return stack.enter_context(serve_fixture())


class WireflightItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type] # what pytest gives to every node
        self.case = case

    def runtest(self) -> None:
        """Run the case, and measure its responses by the clauses for all.

        Raises:
            CaseFailedError: Its verdict, or that of one of its responses, is red.
        """
        from wireflight_conformance.clauses import load
        from wireflight_conformance.engine import Collector, run_case
        from wireflight_conformance.verdicts import Verdict

        suite = self.parent
        assert isinstance(suite, WireflightSuite)
        strict = bool(self.config.getoption("--wireflight-strict"))
        collector = Collector()
        result = run_case(self.case, suite.settings, collector, load(), strict=strict)
        if result.verdict in (Verdict.NOT_TESTABLE, Verdict.UNSUPPORTED):
            pytest.skip(result.note)
        for found in (result, *collector.results(load(), strict)):
            if found.verdict.is_red:
                raise CaseFailedError(found)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: str | None = None
    ) -> str:
        """Return the failure as the console of the suite shows it."""
        import io

        from wireflight_conformance.clauses import load
        from wireflight_conformance.report.console import Console

        if not isinstance(excinfo.value, CaseFailedError):
            return str(super().repr_failure(excinfo))
        stream = io.StringIO()
        Console(stream, colour=False, clauses=load()).show(excinfo.value.result)
        return stream.getvalue()

    def reportinfo(self) -> tuple[str, None, str]:
        """Return where the item stands in a report."""
        return "wireflight", None, f"{self.case.id}: {self.case.title}"
