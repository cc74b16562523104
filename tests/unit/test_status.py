"""The state machine, drawn in full."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.status import TRANSITIONS, Phase, Status, advance, backoff, overall

DRAWN = """
               offline connecting discovering forwarding ready closing waiting failed
offline           =        x          .           .        .      .       .      .
connecting        .        =          x           .        .      x       .      .
discovering       .        .          =           x        .      x       .      .
forwarding        .        .          .           =        x      x       .      .
ready             .        .          x           .        =      x       .      .
closing           x        .          .           .        .      =       x      x
waiting           x        x          .           .        .      .       =      .
failed            x        x          .           .        .      .       .      =
"""


def _cells() -> list[tuple[Phase, Phase, str]]:
    head, *rows = (line.split() for line in DRAWN.strip().splitlines())
    marks = [(now, then, mark) for now, *row in rows for then, mark in zip(head, row, strict=True)]
    return [(Phase(now), Phase(then), mark) for now, then, mark in marks]


@pytest.mark.parametrize(("now", "then", "mark"), _cells())
def test_a_phase_is_followed_only_by_those_drawn_here(now: Phase, then: Phase, mark: str) -> None:
    if mark == ".":
        with pytest.raises(ValueError, match=f"{now.value} cannot become {then.value}"):
            advance(now, then)
    else:
        assert advance(now, then) is then


def test_the_drawing_shows_every_phase() -> None:
    assert len(_cells()) == len(Phase) ** 2
    assert set(TRANSITIONS) == set(Phase)


def test_everything_that_is_built_is_closed_before_a_rest() -> None:
    resting = {Phase.OFFLINE, Phase.WAITING, Phase.FAILED}
    built = set(Phase) - resting - {Phase.CLOSING}

    assert not any(TRANSITIONS[phase] & resting for phase in built)


@pytest.mark.parametrize(
    ("phases", "word"),
    [
        ([], "idle"),
        ([Phase.OFFLINE], "idle"),
        ([Phase.OFFLINE, Phase.READY], "on"),
        ([Phase.READY, Phase.CONNECTING], "busy"),
        ([Phase.READY, Phase.WAITING], "busy"),
        ([Phase.READY, Phase.CLOSING], "busy"),
        ([Phase.CONNECTING, Phase.FAILED, Phase.READY], "attention"),
    ],
)
def test_the_tray_shows_what_matters_most(phases: list[Phase], word: str) -> None:
    assert overall(Status(str(number), phase) for number, phase in enumerate(phases)) == word


def test_an_open_question_wants_attention() -> None:
    assert overall([Status("p", Phase.CONNECTING, question="host key")]) == "attention"


def test_waits_double_up_to_a_minute() -> None:
    assert [backoff(attempt, 0.0) for attempt in range(1, 10)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@given(attempt=st.integers(-5, 10**9))
def test_jitter_shortens_a_wait_by_a_fifth_at_most(attempt: int) -> None:
    longest = backoff(attempt, 0.0)

    assert 0.8 * longest <= backoff(attempt) <= longest <= 60
