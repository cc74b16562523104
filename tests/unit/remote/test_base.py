import threading

import pytest

from spyglass.errors import Cancelled
from spyglass.remote.base import Output, Stop


def test_stopping_ends_what_is_registered_and_cancels_whoever_waited_in_it() -> None:
    stop, ended = Stop(), threading.Event()
    with pytest.raises(Cancelled), stop.ending(ended.set):
        stop.set()
        assert ended.wait(5)


def test_what_is_left_is_not_ended_any_more() -> None:
    stop, ended = Stop(), threading.Event()
    with stop.ending(ended.set):
        pass
    stop.set()
    assert not ended.is_set()


def test_an_error_that_stopping_caused_is_a_cancellation() -> None:
    stop = Stop()
    with pytest.raises(Cancelled), stop.ending(lambda: None):
        stop.set()
        raise OSError("the socket was closed under us")


def test_an_error_without_stopping_stays_what_it_is() -> None:
    with pytest.raises(OSError, match="refused"), Stop().ending(lambda: None):
        raise OSError("refused")


def test_nothing_is_begun_after_stopping() -> None:
    stop, ended = Stop(), threading.Event()
    stop.set()
    with pytest.raises(Cancelled), stop.ending(ended.set):
        pytest.fail("must not be entered")
    with pytest.raises(Cancelled):
        stop.check()
    assert stop.wait(0)
    assert not ended.is_set()


def test_an_output_shows_no_content_in_a_log() -> None:
    assert "SECRET" not in repr(Output(0, b"SECRET", b"SECRET"))
