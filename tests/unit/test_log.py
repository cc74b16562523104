"""Log lines: kept, limited, handed on, and without any secret that was told."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from spyglass import log
from spyglass.log import Line, Ring


@pytest.fixture
def logger() -> Iterator[tuple[logging.Logger, Ring]]:
    ring, logger = Ring(size=3), logging.Logger("one test")  # noqa: LOG001 - shared with nobody
    logger.addHandler(ring)
    yield logger, ring
    ring.close()


def test_a_secret_is_black_in_every_later_line(logger: tuple[logging.Logger, Ring]) -> None:
    log.forget("open sesame")
    logger[0].info("the word is %s, and again: open sesame", "open sesame")

    assert logger[1].lines()[0].text == "the word is •••, and again: •••"


def test_forget_gives_the_secret_back_for_use() -> None:
    assert log.forget("swordfish") == "swordfish"


@pytest.mark.parametrize("order", [("abcd", "abcdefgh"), ("abcdefgh", "abcd")])
def test_of_secrets_inside_secrets_nothing_remains(order: tuple[str, str]) -> None:
    for secret in order:
        log.forget(secret)

    assert log.redact("one abcdefgh, two abcd.") == "one •••, two •••."


def test_secrets_that_overlap_leave_no_piece_of_either() -> None:
    log.forget("abcdef")
    log.forget("defghi")

    assert log.redact("x abcdefghi y abcdef defghi") == "x ••• y ••• •••"


def test_a_secret_shows_in_none_of_its_quoted_forms() -> None:
    log.forget("it's\na \\ key")

    assert "key" not in log.redact(repr("it's\na \\ key"))
    assert "key" not in log.redact(str([b"it's\na \\ key"]))


def test_a_few_letters_are_no_secret_or_every_word_would_go() -> None:
    log.forget("abc")

    assert log.redact("abc") == "abc"


def test_a_traceback_follows_its_line_without_the_secret(logger: tuple[logging.Logger, Ring]) -> None:
    log.forget("swordfish")
    try:
        raise ValueError("no swordfish")
    except ValueError:
        logger[0].exception("it broke")

    text = logger[1].lines()[0].text
    assert text.startswith("it broke\nTraceback")
    assert text.endswith("ValueError: no •••")


def test_the_newest_lines_are_kept(logger: tuple[logging.Logger, Ring]) -> None:
    for number in range(5):
        logger[0].info("line %d", number)

    assert [line.text for line in logger[1].lines()] == ["line 2", "line 3", "line 4"]


def test_lines_know_their_profile(logger: tuple[logging.Logger, Ring]) -> None:
    logging.LoggerAdapter(logger[0], {"profile": "p1"}).info("mine")
    logger[0].info("nobody's")

    assert [line.text for line in logger[1].lines("p1")] == ["mine"]
    assert [line.profile for line in logger[1].lines()] == ["p1", ""]


def test_a_listener_hears_each_line_once_until_it_leaves(logger: tuple[logging.Logger, Ring]) -> None:
    heard: list[Line] = []
    logger[1].listeners.append(heard.append)
    logger[0].warning("first")
    logger[1].listeners.remove(heard.append)
    logger[0].warning("second")

    assert [line.text for line in heard] == ["first"]


def test_a_listener_may_leave_while_it_is_called(logger: tuple[logging.Logger, Ring]) -> None:
    heard: list[str] = []

    def once(line: Line) -> None:
        heard.append(line.text)
        logger[1].listeners.remove(once)

    logger[1].listeners += [once, lambda line: heard.append("other")]
    logger[0].info("x")

    assert heard == ["x", "other"]


def test_a_broken_listener_or_line_stops_nobody_and_prints_nothing(
    logger: tuple[logging.Logger, Ring], capsys: pytest.CaptureFixture[str]
) -> None:
    empty: dict[Line, None] = {}
    logger[1].listeners.append(lambda line: empty[line])
    logger[0].info("heard")
    logger[0].info("two %d", "secret")

    texts = [line.text for line in logger[1].lines()]
    assert texts[0] == "heard"
    assert [text.rpartition(": ")[2] for text in texts[1:]] == ["KeyError", "TypeError"]
    assert capsys.readouterr().err == ""


def test_a_line_reads_as_clock_level_text() -> None:
    assert str(Line(0.0, logging.WARNING, "", "hm"))[8:] == " warning hm"


def test_setting_up_twice_attaches_one_ring() -> None:
    log.setup()
    log.setup()

    assert logging.getLogger("spyglass").handlers.count(log.RING) == 1
    assert not logging.getLogger("paramiko").propagate


@pytest.mark.warns("the adapter is tried with a warning")
def test_logger_for_reaches_the_ring_with_the_profile() -> None:
    log.setup()
    log.logger_for("p7").warning("here")

    assert log.RING.lines("p7")[-1].text == "here"
