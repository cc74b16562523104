"""What holds for every test: order, a home of its own, nothing left behind, skips with a reason."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from support import guards

TESTS = Path(__file__).parent
ORDER = ("unit", "gui", "lab", "bench")
SKIPS: dict[str, str] = {}
"""The skips that are right on some machine: the beginning of the reason, and why it may stand.
With ``CI`` in the environment any other skip fails the run."""

_skipped: dict[str, list[str]] = {}

# A shell's background jobs ignore Ctrl-C, those of nohup a hang-up, and hand that on to all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
guards.sweep()
_HOME = Path(tempfile.mkdtemp(prefix=guards.prefix()))
guards.private_environment(_HOME)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ, database=None)
hypothesis.settings.load_profile("house")


def pytest_unconfigure() -> None:
    """Take the tests' home away."""
    shutil.rmtree(_HOME, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their directory, and run what is fast first."""
    for item in items:
        if (kind := _kind(item)) in {"gui", "lab"}:
            item.add_marker(kind)
    items.sort(key=lambda item: ORDER.index(_kind(item)))


def _kind(item: pytest.Item) -> str:
    first = item.path.relative_to(TESTS).parts[0]
    return first if first in ORDER else "unit"


@pytest.fixture(autouse=True)
def leaves_nothing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread, process, socket, window or timer behind."""
    allowed = frozenset(marker.args[0] for marker in request.node.iter_markers("leaves"))
    without_qt = frozenset() if _kind(request.node) == "gui" else frozenset({"widget", "timer"})
    with guards.guarded(allowed | without_qt, lambda words: pytest.fail(words, pytrace=False)):
        yield


@pytest.fixture(autouse=True)
def forgets_everything(leaves_nothing: None) -> Iterator[None]:
    """Undo what our modules remember for the whole process: directories in use, known secrets."""
    yield
    if paths := sys.modules.get("spyglass.store.paths"):
        vars(paths)["_current"] = None
    if log := sys.modules.get("spyglass.log"):
        vars(log)["_secrets"].clear()


@pytest.fixture(autouse=True)
def warns_of_nothing(request: pytest.FixtureRequest, leaves_nothing: None) -> Iterator[None]:
    """Fail a test in which Spyglass logged a warning, unless the test is about that (mark ``warns``)."""
    watch, logger = _Watch(logging.WARNING), logging.getLogger("spyglass")
    logger.addHandler(watch)
    yield
    logger.removeHandler(watch)
    if watch.lines and not request.node.get_closest_marker("warns"):
        pytest.fail(f"logged: {watch.lines[0]} (one of {len(watch.lines)})", pytrace=False)


class _Watch(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.getMessage()}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the skips by their reasons."""
    if not hasattr(report, "wasxfail"):
        _count(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Count the files that skip themselves as well."""
    _count(report)


def _count(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped.setdefault(reason.removeprefix("Skipped: ").strip(), []).append(report.nodeid)


def _unlisted() -> list[str]:
    return [reason for reason in _skipped if not any(reason.startswith(known) for known in SKIPS)]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything must run, a skip that nobody has allowed is a failure."""
    if os.environ.get("CI") and _unlisted() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what did not run, and why."""
    for reason, tests in _skipped.items():
        terminalreporter.line(f"skipped with reason: {reason} ({len(tests)})")
    if os.environ.get("CI") and _unlisted():
        terminalreporter.line(
            f"FAILED: {len(_unlisted())} reasons for skipping are not listed in tests/conftest.py"
        )
