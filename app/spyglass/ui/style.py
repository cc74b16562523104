"""Fusion with our palette and one small stylesheet; sizes in steps of four.

Widgets take part by name or property: ``card`` (a panel with a line around it), ``role``
(title, dim, heading, badge, problem) and ``primary`` for the one button of the moment.
"""

from __future__ import annotations

from functools import cache
from typing import ClassVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from spyglass.ui.palette import Tokens, chosen, qt_palette

MARGIN = 22
BLOCK = 14
GAP = 8

_SHEET = """
QToolTip {{ color: {ink}; background: {panel}; border: 1px solid {line}; padding: 4px 6px; }}
QFrame#card {{ background: {panel}; border: 1px solid {line}; border-radius: 10px; }}
QFrame[role="problem"] {{ background: {bad_ground}; border: 1px solid {bad}; border-radius: 10px; }}
QFrame[role="attention"] {{ background: {warn_ground}; border: 1px solid {warn}; border-radius: 10px; }}
QWidget#sidebar {{ background: {sidebar}; }}
QFrame#rule {{ background: {line}; border: none; }}
QSplitter::handle {{ background: {line}; }}
QLabel[role="dim"] {{ color: {dim}; }}
QLabel[role="bad"] {{ color: {bad}; }}
QLabel[role="warn"] {{ color: {warn_ink}; }}
QLabel[role="badge"] {{ color: {bad}; border: 1px solid {bad}; border-radius: 5px; padding: 2px 8px; }}
QLineEdit, QComboBox, QSpinBox {{ background: {panel}; color: {ink}; border: 1px solid {line};
  border-radius: 8px; padding: 0 11px; min-height: 32px; selection-background-color: {accent};
  selection-color: {on_accent}; }}
QPlainTextEdit {{ background: {panel}; color: {ink}; border: 1px solid {line}; border-radius: 8px;
  padding: 6px 8px; selection-background-color: {accent}; selection-color: {on_accent}; }}
QPlainTextEdit#members {{ padding: 4px 9px; }}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QPlainTextEdit:focus {{ border-color: {accent}; }}
QLineEdit:disabled, QComboBox:disabled {{ color: {faint}; }}
QLineEdit[wrong="true"], QPlainTextEdit[wrong="true"] {{ border-color: {bad}; }}
QLineEdit#search {{ min-height: 30px; border-radius: 7px; }}
QComboBox QLineEdit {{ border: none; background: transparent; padding: 0; }}
QComboBox::drop-down {{ border: none; width: 24px; }}
QComboBox::down-arrow {{ image: none; }}
QComboBox QAbstractItemView {{ background: {panel}; border: 1px solid {line}; padding: 4px; outline: 0; }}
QPushButton {{ background: {panel}; color: {ink}; border: 1px solid {line}; border-radius: 8px;
  padding: 0 14px; min-height: 32px; }}
QPushButton:hover {{ background: {hover}; }}
QPushButton:focus {{ border-color: {accent}; }}
QPushButton:disabled {{ color: {faint}; }}
QPushButton[primary="true"] {{ background: {accent}; color: {on_accent}; border-color: {accent}; }}
QPushButton[primary="true"]:hover {{ background: {accent_hover}; border-color: {accent_hover}; }}
QPushButton[primary="true"]:focus {{ border: 2px solid {ink}; padding: 0 13px; min-height: 30px; }}
QPushButton[primary="true"]:disabled {{ background: {chip}; color: {dim}; border-color: {line}; }}
QPushButton[danger="true"] {{ color: {bad}; border-color: {bad}; }}
QPushButton[small="true"] {{ min-height: 26px; padding: 0 10px; border-radius: 7px; }}
QPushButton#below {{ background: {window}; color: {dim}; border: none; border-top: 1px solid {line};
  border-radius: 0; padding: 0 2px; min-height: 25px; text-align: left; }}
QPushButton#below:hover {{ color: {ink}; }}
QPushButton#menu {{ min-width: 34px; max-width: 34px; padding: 0; }}
QListView#profiles {{ background: transparent; border: none; outline: 0; }}
QTableView {{ background: transparent; border: none; outline: 0; gridline-color: {line};
  selection-background-color: {selection}; selection-color: {sel_ink}; }}
QHeaderView {{ background: transparent; border: none; }}
QHeaderView::section {{ background: transparent; color: {dim}; border: none;
  border-bottom: 1px solid {line}; padding: 0 11px; height: 38px; }}
QHeaderView::section:first {{ padding-left: 15px; }}
QTabBar {{ background: transparent; border: none; }}
QTabBar::tab {{ background: transparent; color: {dim}; border: none; border-bottom: 2px solid transparent;
  padding: 10px 0 9px 0; margin: 0 9px; }}
QTabBar::tab:selected {{ color: {ink}; border-bottom: 2px solid {accent}; }}
QTabBar::tab:hover {{ color: {ink}; }}
QTabBar::tab:focus {{ color: {accent}; }}
QListWidget {{ background: {panel}; border: 1px solid {line}; border-radius: 8px; padding: 4px; outline: 0; }}
QListWidget::item {{ padding: 6px 8px; border-radius: 5px; }}
QListWidget::item:selected {{ background: {selection}; color: {sel_ink}; }}
QMenu {{ background: {panel}; color: {ink}; border: 1px solid {line}; padding: 5px; }}
QMenu::item {{ padding: 6px 30px 6px 12px; border-radius: 5px; }}
QMenu#keyed::item {{ padding-right: 54px; }}
QMenu::item:selected {{ background: {selection}; color: {sel_ink}; }}
QMenu::item:disabled {{ color: {dim}; }}
QMenu::icon {{ padding-left: 10px; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 5px 6px; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 2px; }}
QScrollBar::handle {{ background: {line}; border-radius: 3px; min-height: 28px; min-width: 28px; }}
QScrollBar::handle:hover {{ background: {faint}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}
QScrollArea {{ background: transparent; border: none; }}
QWidget#clear {{ background: transparent; }}
"""


class Theme(QObject):
    """The palette in use, live: follows the system unless one was chosen."""

    changed = Signal()
    current: ClassVar[Theme]

    def __init__(self, app: QApplication, choice: str = "system", *, dressed: bool = True) -> None:
        """``dressed=False`` leaves the stylesheet for :meth:`dress`: a window is built faster without."""
        super().__init__(app)
        self._dressed = dressed
        self._app = app
        self.choice = choice
        self.tokens: Tokens = chosen(choice)
        _set_font(app)
        self._apply()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)
        Theme.current = self

    def choose(self, choice: str) -> None:
        """Use ``light``, ``dark`` or ``system`` from now on."""
        self.choice = choice
        self._follow()

    def _follow(self) -> None:
        tokens = chosen(self.choice)
        if tokens is not self.tokens:
            self.tokens = tokens
            self._apply()
            self.changed.emit()

    def _apply(self) -> None:
        font.cache_clear()
        self._app.setPalette(qt_palette(self.tokens))
        if self._dressed:
            self._app.setStyleSheet(sheet(self.tokens))

    def dress(self) -> None:
        """Apply the stylesheet, if that was left for now."""
        if not self._dressed:
            self._dressed = True
            self._app.setStyleSheet(sheet(self.tokens))


def tokens() -> Tokens:
    """The palette in use."""
    return Theme.current.tokens


def sheet(tokens: Tokens) -> str:
    """The stylesheet for a palette."""
    names = tokens.__struct_fields__
    return _SHEET.format(**{name: getattr(tokens, name) for name in names})


def _set_font(app: QApplication) -> None:
    """The system's family; its size too, unless it is Qt's own default for "not told" (9 pt)."""
    font = app.font()
    if font.pointSizeF() <= 9.75:
        font.setPointSizeF(9.75)  # 13 px at 96 dpi
    app.setFont(font)


def semibold(scale: float = 1.0) -> QFont:
    """The application's font, heavier: names, headings, titles."""
    return font(scale, QFont.Weight.DemiBold)


@cache
def font(scale: float = 1.0, weight: QFont.Weight = QFont.Weight.Normal, *, tabular: bool = False) -> QFont:
    """The application's font, scaled (1 is the body); ``tabular``: figures of one width."""
    made = QFont(QApplication.font())
    made.setPointSizeF(made.pointSizeF() * scale)
    made.setWeight(weight)
    if tabular:
        made.setFeature(QFont.Tag("tnum"), 1)
    return made


def small() -> QFont:
    """Second lines: 11.5 px beside a body of 13."""
    return font(11.5 / 13)


def strong() -> QFont:
    """Names."""
    return semibold()


def title() -> QFont:
    """The page's title: 20 px beside a body of 13."""
    return semibold(20 / 13)


def mono() -> QFont:
    """Fixed pitch, for log lines and keys."""
    made = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    made.setPointSizeF(QApplication.font().pointSizeF() * 12 / 13)
    return made


def mark(widget: QWidget, **properties: object) -> None:
    """Set style properties and have the stylesheet look again."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
