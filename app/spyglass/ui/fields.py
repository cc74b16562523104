"""The editor's fields, the small signs on its buttons, and whether there is a keyring to speak of."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QAction, QIcon, QKeySequence, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QWidget

from spyglass.ui import style
from spyglass.ui.errand import Errand

_SIGNS: dict[str, list[list[tuple[float, float]]]] = {
    "up": [[(4, 9), (8, 5), (12, 9)]],
    "down": [[(4, 7), (8, 11), (12, 7)]],
    "cross": [[(5, 5), (11, 11)], [(11, 5), (5, 11)]],
    "folder": [[(2.5, 12.5), (2.5, 4), (6.5, 4), (8, 5.8), (13.5, 5.8), (13.5, 12.5), (2.5, 12.5)]],
}


def field(text: str, placeholder: str, name: str) -> QLineEdit:
    """A field for one line, with the name that a screen reader says."""
    made = QLineEdit(text, placeholderText=placeholder)
    made.setAccessibleName(name)
    return made


class FileField(QLineEdit):
    """A field for the path of a file, which can also be chosen: by the folder in it, or Alt+Down."""

    def __init__(self, text: str, placeholder: str, name: str) -> None:
        super().__init__(text, placeholderText=placeholder)
        self.setAccessibleName(name)
        self.setToolTip(f"{name} (Alt+Down chooses one)")
        self.choose = QAction(sign("folder"), f"Choose: {name}", self)
        self.choose.setShortcut(QKeySequence("Alt+Down"))
        self.choose.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.choose.triggered.connect(self._browse)
        self.addAction(self.choose, QLineEdit.ActionPosition.TrailingPosition)
        style.Theme.current.changed.connect(self._restyle)
        for button in self.findChildren(QWidget):  # Qt's own button for the action
            button.setAccessibleName(self.choose.text())

    def _restyle(self) -> None:
        self.choose.setIcon(sign("folder"))

    def _browse(self) -> None:
        dialog = QFileDialog(self, self.accessibleName())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setDirectory(str(_nearest(self.text().strip())))
        dialog.fileSelected.connect(self.take)
        dialog.open()

    def take(self, path: str) -> None:
        """Name this file; below the home directory with a tilde, so that a profile fits elsewhere too."""
        chosen = Path(path)
        home = Path.home()
        self.setText(f"~/{chosen.relative_to(home)}" if chosen.is_relative_to(home) else path)
        self.setFocus()


def _nearest(text: str) -> Path:
    """Where a dialog begins: beside what is written, else in ``~/.ssh``, else at home."""
    home = Path.home()
    wanted = Path(text).expanduser().parent if text else home / ".ssh"
    return wanted if wanted.is_dir() else home


def sign(shape: str) -> QIcon:
    """A small sign for a button, dim, and dimmer where it can't be pressed."""
    icon = QIcon()
    for mode, colour in ((QIcon.Mode.Normal, "dim"), (QIcon.Mode.Disabled, "line")):
        image = QPixmap(32, 32)
        image.setDevicePixelRatio(2)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        cap, corner = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
        painter.setPen(QPen(style.tokens().color(colour), 1.6, Qt.PenStyle.SolidLine, cap, corner))
        for line in _SIGNS[shape]:
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in line]))
        painter.end()
        icon.addPixmap(image, mode)
    return icon


class RingNote(QLabel):
    """Whoever wants the keyring hears here if there is none; hidden otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", "warn")
        self.setFont(style.small())
        self.setWordWrap(True)
        self.hide()
        self._wanted = False

    def follow(self, *, wanted: bool) -> None:
        """Look for it if it is wanted; that takes a moment, so not in this thread."""
        self._wanted = wanted
        if wanted:
            Errand(no_ring, self._told)
        else:
            self.hide()

    def _told(self, reason: str) -> None:
        words = f"{reason[:1].upper()}{reason[1:]}. The cookie is kept in memory until you quit."
        self.setText(words if reason else "")
        self.setVisible(bool(reason) and self._wanted)


def no_ring() -> str:
    """Why there is no keyring, or empty; takes a while, so not for the window's thread."""
    from spyglass.store.secrets import Keyring  # noqa: PLC0415 - it takes 70 ms to import

    return Keyring().why_not
