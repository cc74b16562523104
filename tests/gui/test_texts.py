"""Paths and addresses as people read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QTextLayout, QTextOption
from PySide6.QtWidgets import QApplication

from spyglass.ui import texts
from spyglass.ui.wishes import QUICK

HOME = str(Path.home())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"key {HOME}/.ssh/id_ed25519", "key ~/.ssh/id_ed25519"),
        (f"{HOME}: no such directory", "~: no such directory"),
        (f"at {HOME}/.asdf/bin/erl, {HOME}/b", "at ~/.asdf/bin/erl, ~/b"),
        (f"{HOME}stead/x", f"{HOME}stead/x"),
        (f"/mnt{HOME}/x", f"/mnt{HOME}/x"),
        (f"rm '{HOME}/a b'", f"rm '{HOME}/a b'"),  # a shell leaves a quoted tilde as it is
    ],
)
def test_the_home_directory_is_a_tilde(text: str, shown: str) -> None:
    assert texts.homely(text) == shown


def test_where_there_is_little_room_a_name_stands_for_a_path_elsewhere() -> None:
    assert texts.brief("root · key /tmp/x-1/state/client_key · 4 ms") == "root · key client_key · 4 ms"
    assert texts.brief(f"key {HOME}/.ssh/id") == "key ~/.ssh/id"
    assert texts.brief("OTP 25 · 10/8 · tcp://h/x") == "OTP 25 · 10/8 · tcp://h/x"


def lines(text: str, width: int) -> list[str]:
    layout = QTextLayout(text, QApplication.font())
    layout.setTextOption(QTextOption())
    layout.beginLayout()
    out, y = [], 0.0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        line.setPosition(QPointF(0, y))
        out.append(text[line.textStart() : line.textStart() + line.textLength()])
    layout.endLayout()
    return out


def test_no_line_ends_inside_an_address(qapp: QApplication) -> None:
    addresses = ("deploy@prod1:22", "prod1/container", "tcp://prod1:2375")
    broken = set()
    for width in range(180, 700, 7):
        plain, shown = lines(QUICK, width), lines(texts.unbroken(QUICK), width)
        broken |= {a for a in addresses if not any(a in line for line in plain)}
        whole = [line.replace("\N{WORD JOINER}", "") for line in shown]
        assert all(any(address in line for line in whole) for address in addresses), (width, whole)
    assert broken  # without that they would be
    assert texts.unbroken(QUICK).replace("\N{WORD JOINER}", "") == QUICK
