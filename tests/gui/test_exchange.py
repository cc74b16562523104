"""Profiles as files: import, export, drag and drop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from spyglass.ui.window import MainWindow
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

COPY, LEFT, NONE = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def drop(window: MainWindow, *files: Path) -> bool:
    """Drop these files on the window; return whether it would have them."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    enter = QDragEnterEvent(QPoint(5, 5), COPY, mime, LEFT, NONE)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    if enter.isAccepted():
        QApplication.sendEvent(window, QDropEvent(QPointF(5, 5), COPY, mime, LEFT, NONE))
    return enter.isAccepted()


def test_a_dropped_profile_is_saved_and_chosen(window: MainWindow, tmp_path: Path) -> None:
    file = tmp_path / "new.toml"
    file.write_text('name = "Dropped"\nhops = [{ kind = "ssh", host = "prod" }]\n')
    assert drop(window, file)
    chosen = window.sidebar.current()
    assert chosen is not None
    assert chosen.name == "Dropped"


@pytest.mark.parametrize(
    ("text", "place"), [('name = "x"\ncolour = "red"\n', "colour"), ('name = "x"\nport = \n', "line 2")]
)
def test_a_broken_file_is_refused_with_its_place_and_kept(
    window: MainWindow, tmp_path: Path, text: str, place: str
) -> None:
    file = tmp_path / "new.toml"
    file.write_text(text)
    assert drop(window, file)
    told = window.complaint.accessibleName()
    assert place in told
    assert told.startswith("new.toml")  # the name is enough; where it is, is to be had
    assert str(file) not in told
    assert window.complaint.toolTip() == str(file)
    assert file.read_text() == text
    assert len(window.saved) == len(fake.PROFILES)


def test_other_files_cannot_be_dropped(window: MainWindow, tmp_path: Path) -> None:
    assert not drop(window, tmp_path / "picture.png")


def test_export_writes_the_file_that_import_reads(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    window.sidebar.choose(fake.SHOP.id)
    window.changes.ask_export()
    dialog = window.findChild(QFileDialog)
    file = tmp_path / "shop.toml"
    dialog.fileSelected.emit(str(file))
    dialog.close()
    text = file.read_text()
    assert 'host = "prod-eu"' in text
    file.write_text(text.replace("Shop EU", "Shop again"))
    window.changes.import_files([file])
    chosen = window.sidebar.current()
    assert chosen is not None
    assert (chosen.name, chosen.hops) == ("Shop again", fake.SHOP.hops)
