import logging
import sys
import threading
from pathlib import Path

import pytest

from spyglass import __version__, log, report
from spyglass.log import Line, Ring


def failed(words: str) -> BaseException:
    try:
        raise ValueError(words)
    except ValueError as error:
        return error


@pytest.fixture
def ring() -> Ring:
    made = Ring()
    made._lines.extend(Line(0.0, logging.INFO, "", f"line {number}") for number in range(150))
    return made


def test_a_report_says_what_ran_and_what_happened(ring: Ring) -> None:
    text = report.text(failed("of all things"), erl="/usr/bin/erl", ring=ring)
    assert f"Spyglass {__version__}" in text
    assert "Python 3." in text
    assert "Erlang: /usr/bin/erl" in text
    assert "ValueError: of all things" in text
    assert "in failed" in text
    assert "line 149" in text
    assert "line 49\n" not in text


def test_a_report_has_no_secret_and_no_home(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/jane")
    log.forget("swordfish")
    text = report.text(failed("the cookie swordfish of /home/jane/x"), ring=ring)
    assert "the cookie ••• of ~/x" in text


def test_a_report_is_kept_for_its_person_only(tmp_path: Path) -> None:
    file = report.keep("a long text", tmp_path)
    report.keep("text", tmp_path)
    assert file.read_text() == "text"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.warns("a defect is logged as such")
@pytest.mark.parametrize("fails", [False, True])
def test_what_nobody_catches_in_a_thread_is_told_and_logged(fails: bool) -> None:
    told: list[BaseException] = []
    before, ring = (sys.excepthook, threading.excepthook), log.setup()

    def hear(error: BaseException) -> None:
        told.append(error)
        if fails:
            raise RuntimeError("the dialog is broken too")

    with report.watching(hear):
        thread = threading.Thread(target=lambda: 1 // 0)
        thread.start()
        thread.join()
    assert [type(error) for error in told] == [ZeroDivisionError]
    assert "ZeroDivisionError" in ring.lines()[-1].text
    assert (sys.excepthook, threading.excepthook) == before


@pytest.mark.warns("a defect is logged as such")
def test_the_main_thread_too_but_ctrl_c_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[BaseException] = []
    passed: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, *_: passed.append(kind))
    with report.watching(told.append):
        error = failed("oh")
        sys.excepthook(type(error), error, None)
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert told == [error]
    assert passed == [KeyboardInterrupt]
