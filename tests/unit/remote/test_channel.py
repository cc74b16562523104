from __future__ import annotations

import threading

import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paramiko.buffered_pipe import BufferedPipe, PipeTimeout

from spyglass.remote.channel import Channel, Pipe
from spyglass.remote.packets import PRIVATE, Packets
from spyglass.remote.sessions import Sessions

TRANSPORT = (
    *(
        "_send_message",
        "_send_user_message",
        "_parse_newkeys",
        "_parse_channel_open_success",
        "_next_channel",
    ),
    *("_parse_request_success", "_parse_request_failure", "_parse_channel_open_failure", "_verify_key"),
    *("_filter_algorithm", "_channel_handler_table", "_kex_info", "_key_info", "_preferred_kex"),
)
CHANNEL = (
    *("_feed", "_feed_extended", "_request_success", "_request_failed", "_handle_request", "_handle_eof"),
    *("_set_closed", "_send_eof", "_check_add_window", "_wait_for_send_window", "_unlink"),
)


@given(st.lists(st.binary(min_size=1, max_size=50)), st.lists(st.integers(1, 60)))
def test_a_pipe_gives_what_was_fed_in_any_pieces(chunks: list[bytes], sizes: list[int]) -> None:
    pipe = Pipe()
    for chunk in chunks:
        pipe.feed(chunk)
    pipe.close()
    got, position = b"", 0
    while piece := pipe.read(sizes[position % len(sizes)] if sizes else 7):
        got += piece
        position += 1
    assert got == b"".join(chunks)
    assert len(pipe) == 0


def test_an_empty_pipe_times_out() -> None:
    for seconds in (0.0, 0.01):
        with pytest.raises(PipeTimeout):
            Pipe().read(1, seconds)


def test_a_shortcut_takes_what_it_can_and_the_rest_keeps_its_order() -> None:
    pipe, straight, read = Pipe(), bytearray(), bytearray()
    room = [5]

    def shortcut(data: bytes) -> int:
        took = min(len(data), room[0])
        straight.extend(data[:took])
        room[0] -= took
        return took

    pipe.shortcut = shortcut

    def reader() -> None:
        while True:
            data, taken = pipe.take(100, 1 << 30)
            read.extend(data)
            if not data and not taken:
                return

    thread = threading.Thread(target=reader)
    thread.start()
    while not pipe._waiting:
        pass
    for chunk in (b"abc", b"def", b"ghi"):
        pipe.feed(chunk)
    pipe.close()
    thread.join(5)
    assert bytes(straight) == b"abcde"
    assert bytes(read) == b"fghi"


def test_the_reader_is_woken_when_the_shortcut_took_enough() -> None:
    pipe = Pipe()
    pipe.shortcut = len
    answers: list[tuple[bytes, int]] = []
    thread = threading.Thread(target=lambda: answers.append(pipe.take(100, 4)))
    thread.start()
    while not pipe._waiting:
        pass
    pipe.feed(b"abc")
    pipe.feed(b"d")
    thread.join(5)
    assert answers == [(b"", 4)]


def test_paramiko_still_has_the_private_names_that_are_used() -> None:
    state = vars(Packets(object()))  # type: ignore[arg-type]
    assert [name for name in PRIVATE if f"_Packetizer__{name}" not in state] == []
    assert [name for name in TRANSPORT if not hasattr(paramiko.Transport, name)] == []
    assert [name for name in CHANNEL if not hasattr(paramiko.Channel, name)] == []


def test_a_pipe_has_what_paramiko_calls() -> None:
    wanted = {name for name in dir(BufferedPipe) if not name.startswith("_")}
    assert wanted <= set(dir(Pipe))


def test_collecting_a_channel_sends_nothing() -> None:
    channel = Channel(1)
    channel.active = True
    channel.transport = None
    del channel


def test_sessions_are_limited_and_the_limit_sinks_at_a_refusal() -> None:
    sessions = Sessions(limit=3)
    assert [sessions.enter(0) for _ in range(4)] == [True, True, True, False]
    assert sessions.refused()
    assert sessions.limit == 2
    assert not sessions.enter(0)
    sessions.leave()
    assert sessions.enter(0)


def test_a_refusal_of_the_only_session_is_final() -> None:
    sessions = Sessions()
    assert sessions.enter(0)
    assert not sessions.refused()
