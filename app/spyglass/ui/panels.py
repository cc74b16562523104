"""What widgets are put into: panels with a line around them, and stacks."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QLayout, QStackedWidget, QVBoxLayout, QWidget


def card(*inside: QWidget | QLayout) -> QFrame:
    """A panel with a line around it."""
    made = QFrame()
    made.setObjectName("card")
    column = QVBoxLayout(made)
    column.setContentsMargins(1, 1, 1, 1)
    column.setSpacing(0)
    for each in inside:
        column.addWidget(each) if isinstance(each, QWidget) else column.addLayout(each)
    return made


def stack(*widgets: QWidget) -> QStackedWidget:
    """Widgets of which one is seen at a time."""
    made = QStackedWidget()
    for widget in widgets:
        made.addWidget(widget)
    return made
