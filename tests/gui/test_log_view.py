from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QGuiApplication

from spyglass import log
from spyglass.log import Line, Ring
from spyglass.ui.bridge import LogFeed
from spyglass.ui.log_view import LogView
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def view(qtbot: QtBot, ring: Ring) -> Iterator[LogView]:
    for number, text in enumerate(("opening bastion", "bastion ready", "cookie kilkenny seen")):
        ring._lines.append(Line(fake.NOW + number, logging.INFO, "p", text))
    ring._lines.append(Line(fake.NOW, logging.INFO, "other", "not mine"))
    feed = LogFeed(ring)
    made = LogView(feed)
    qtbot.addWidget(made)
    made.show()
    made.show_profile("p")
    yield made
    feed.close()


def test_only_the_connections_own_lines(view: LogView) -> None:
    assert view.model.rowCount() == 3


def test_the_filter_ignores_case(view: LogView) -> None:
    view.field.setText("BASTION")
    assert view.model.rowCount() == 2
    view.field.setText("nothing has this")
    assert view.empty.isVisible()


def test_copies_and_files_hold_no_secret_learnt_later(view: LogView, tmp_path: Path) -> None:
    log.forget("kilkenny")
    view.copy_lines()
    assert "kilkenny" not in QGuiApplication.clipboard().text()
    assert "cookie ••• seen" in QGuiApplication.clipboard().text()
    view.save_to(tmp_path / "log.txt")
    assert "kilkenny" not in (tmp_path / "log.txt").read_text()


def test_a_file_that_cannot_be_written_is_said(view: LogView, qtbot: QtBot, tmp_path: Path) -> None:
    with qtbot.waitSignal(view.said) as said:
        view.save_to(tmp_path / "no" / "such" / "place.txt")
    assert "cannot be written" in said.args[0]


def test_the_oldest_lines_go(view: LogView) -> None:
    view.model.add([Line(fake.NOW, logging.INFO, "p", str(n)) for n in range(12_000)])
    assert view.model.rowCount() == 10_000
    assert view.model.index(9_999).data().endswith(" 11999")
