"""Discovery over answers that were damaged at random: it ends, tells in plain lines, and does not stumble."""

from __future__ import annotations

import os
import random

import pytest

from spyglass.erlang.discovery import Discovery, discover
from spyglass.errors import Failure
from spyglass.remote.base import Output, Stop
from support.fake_remote import FakeEpmd, FakeNode, FakeRemote, Player
from support.fake_survey import FakeBeam, FakeHost, container, identity

ROUNDS = int(os.environ.get("SPYGLASS_FUZZ_LINES", "400"))
WEB = "172.17.0.1"
INTERESTING = (
    b"",
    b"\0",
    b"\xff",
    b"\n",
    b'"',
    b"'",
    b"{",
    b"]",
    b"$(id)",
    b"A" * 3000,
    b"-1",
    b"9" * 30,
    "🦉".encode(),
)


def damaged(data: bytes, dice: random.Random) -> bytes:
    """The data with one to four pieces cut, doubled, swapped or overwritten."""
    for _ in range(dice.randint(1, 4)):
        start = dice.randrange(len(data) + 1)
        end = min(len(data), start + dice.choice((0, 1, 2, 8, 64, 512)))
        piece = data[start:end]
        new = dice.choice((b"", piece * 2, piece[::-1], dice.choice(INTERESTING), dice.randbytes(len(piece))))
        data = data[:start] + new + data[end:]
    return data


class Damaged(Player):
    """Answers as another player does, damaged."""

    def __init__(self, inner: Player, dice: random.Random) -> None:
        super().__init__()
        self._inner, self._dice = inner, dice

    def hear(self, data: bytes) -> None:
        self._inner.hear(data)
        self.says += damaged(self._inner.says, self._dice)
        self._inner.says = b""
        self.over = True


def search(dice: random.Random) -> Discovery:
    words = "-name hello@172.17.0.1 -setcookie right -epmd_port 4369"
    listening = [("00000000", 4369, 1), ("00000000", 45011, 2)]
    beam = FakeBeam(11, words, container=identity(1), listening=listening, environ={"HOME": "/root"})
    host = FakeHost([container(Labels={"a": "b"}), container(2, "db")], [beam])

    def answer(argv: list[str], stdin: bytes | None) -> Output:
        output = host.answer(argv, stdin)
        whole = dice.random() < 0.3
        return output if whole else Output(output.status, damaged(output.stdout, dice), output.stderr)

    node = FakeNode("hello@172.17.0.1")
    remote = FakeRemote(
        {
            (WEB, 4369): lambda: Damaged(FakeEpmd({"hello": 45011}), dice),
            (WEB, 45011): lambda: Damaged(node.player(), dice),
        },
        answer,
    )
    return discover(remote, hops=("deploy@web1",), me="spyglass_1_probe@127.0.0.1", stop=Stop())


@pytest.mark.timeout(600)
def test_whatever_is_damaged_discovery_ends_and_tells_it_plainly() -> None:
    for number in range(ROUNDS):
        for text in told(random.Random(number)):
            assert text.isprintable(), (number, text)
            assert len(text) < 1000, (number, text)
            assert "part of the search failed" not in text, (number, text)


def told(dice: random.Random) -> list[str]:
    """Everything that people would read of one search."""
    try:
        discovery = search(dice)
    except Failure as failure:
        return [failure.title]
    return [*discovery.warnings, *(found.info.why_not or "" for found in discovery.found)]
