"""The chain: every link between this computer and the node, and where it broke."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QFontMetrics,
    QGuiApplication,
    QHelpEvent,
    QKeySequence,
    QPainter,
    QPen,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from spyglass.ui import icons, parts, style, texts

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QPaintEvent

    from spyglass.status import Link, Problem

_PAD = 16
_LINE = 14  # the shortest line between two links
_SHAPES = {"todo": "off", "ok": "ok", "busy": "busy", "warn": "warn", "bad": "bad"}
_MIDDLE = Qt.TextElideMode.ElideMiddle


class ChainView(QWidget):
    """Draws the links side by side; what does not fit is shortened, longest first."""

    def __init__(self, spinner: icons.Spinner) -> None:
        super().__init__()
        self._links: tuple[Link, ...] = ()
        self._spinner = spinner
        self._boxes: list[QRect] = []
        self._at = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("The way to the node")
        spinner.turned.connect(self._turned)

    def show_links(self, links: tuple[Link, ...]) -> None:
        """Draw these."""
        if links != self._links:
            self._links = links
            self._at = min(self._at, max(len(links) - 1, 0))
            said = "; ".join(f"{e.label}: {_said(e)}" for e in links)
            self.setAccessibleDescription(said)
            self.update()

    def links(self) -> tuple[Link, ...]:
        """What is drawn."""
        return self._links

    def busy(self) -> bool:
        """Whether an arc has to turn."""
        return any(link.state == "busy" for link in self._links)

    def sizeHint(self) -> QSize:
        """Two lines and the card's margins."""
        lines = QFontMetrics(style.strong()).height() + QFontMetrics(style.small()).height()
        return QSize(400, lines + 3 + 2 * _PAD)

    def minimumSizeHint(self) -> QSize:
        """As high as always, as narrow as need be."""
        return QSize(120, self.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        """Each link has a tooltip of its own."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tip(event)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Left and Right go from link to link and tell its facts; Copy takes them."""
        last = len(self._links) - 1
        steps = {Qt.Key.Key_Left: self._at - 1, Qt.Key.Key_Right: self._at + 1, Qt.Key.Key_Home: 0}
        steps |= {Qt.Key.Key_End: last, Qt.Key.Key_Space: self._at}
        if self._links and event.key() in steps:
            self.look_at(min(max(steps[Qt.Key(event.key())], 0), last))
        elif self._links and event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.tip_of(self._at))
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt: the link that was looked at last is told."""
        super().focusInEvent(event)
        if self._links:
            self.look_at(self._at)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Qt: the frame around the link goes."""
        super().focusOutEvent(event)
        QToolTip.hideText()
        self.setAccessibleName("The way to the node")
        self.update()

    def look_at(self, number: int) -> None:
        """Put the frame around a link and tell its facts, to the eye and to a screen reader."""
        self._at = number
        told = self.tip_of(number).replace("\n", ", ")
        self.setAccessibleName(f"The way to the node, link {number + 1} of {len(self._links)}: {told}")
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.NameChanged))
        self._boxes = self._layout()
        box = self._boxes[number]
        QToolTip.showText(self.mapToGlobal(box.bottomLeft()), self.tip_of(number), self, box)
        self.update()

    def tip_of(self, number: int) -> str:
        """What is to be known of one link, in lines."""
        link = self._links[number]
        return texts.homely("\n".join((link.label, *(link.facts or (_said(link),)))))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The links, then the lines between them."""
        if not self._links:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._boxes = self._layout()
        for number, (link, box) in enumerate(zip(self._links, self._boxes, strict=True)):
            end = self._draw(painter, link, box)
            if number + 1 < len(self._links):
                self._line(painter, end + 9, self._boxes[number + 1].left() - 9, box, self._links[number + 1])
        if self.hasFocus():
            painter.setPen(QPen(style.tokens().color("accent"), 1))
            frame = self._boxes[self._at].toRectF().adjusted(-7.5, -6.5, 7.5, 6.5)
            painter.drawRoundedRect(frame, 6, 6)
        painter.end()

    def _layout(self) -> list[QRect]:
        room = self.width() - 2 * _PAD
        widths = [self._wide(link) for link in self._links]
        gaps = len(widths) - 1
        widths = _fit(widths, room - gaps * (_LINE + 18))
        gap = (room - sum(widths)) / gaps if gaps else 0.0
        gap = min(gap, 160.0)
        boxes, x = [], float(_PAD)
        for wide in widths:
            boxes.append(QRect(round(x), _PAD, wide, self.height() - 2 * _PAD))
            x += wide + gap
        return boxes

    @staticmethod
    def _wide(link: Link) -> int:
        name = QFontMetrics(style.strong()).horizontalAdvance(link.label) + 22
        return max(name, QFontMetrics(style.small()).horizontalAdvance(texts.brief(link.detail))) + 2

    def _draw(self, painter: QPainter, link: Link, box: QRect) -> int:
        tokens, big, small = style.tokens(), style.strong(), style.small()
        high, low = QFontMetrics(big), QFontMetrics(small)
        mark = QRectF(box.left() + 1, box.top() + (high.height() - 12) / 2 + 0.5, 12, 12)
        icons.paint(painter, mark, _SHAPES.get(link.state, "off"), tokens, self._spinner.turn)
        painter.setFont(big)
        painter.setPen(tokens.color("dim" if link.state == "todo" else "ink"))
        name = high.elidedText(link.label, _MIDDLE, box.width() - 22)
        painter.drawText(box.left() + 22, box.top() + high.ascent(), name)
        painter.setFont(small)
        painter.setPen(tokens.color("bad" if link.state == "bad" else "dim"))
        detail = low.elidedText(texts.brief(link.detail), Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box.left(), box.top() + high.height() + 3 + low.ascent(), detail)
        return box.left() + 22 + high.horizontalAdvance(name)

    @staticmethod
    def _line(painter: QPainter, start: int, end: int, box: QRect, towards: Link) -> None:
        colour = {"todo": "faint", "busy": "busy", "bad": "bad", "warn": "warn"}.get(towards.state, "ok")
        pen = QPen(style.tokens().color(colour), 2)
        if towards.state == "todo":
            pen = QPen(style.tokens().color(colour), 1.5)
            pen.setDashPattern([4, 3])
        painter.setPen(pen)
        y = box.top() + QFontMetrics(style.strong()).height() // 2 + 1
        if end - start >= 4:
            painter.drawLine(start, y, end, y)

    def _tip(self, event: QHelpEvent) -> None:
        for number, box in enumerate(self._boxes):
            if box.contains(event.pos()) and number < len(self._links):
                QToolTip.showText(event.globalPos(), self.tip_of(number), self)
                return
        QToolTip.hideText()

    def _turned(self, _turn: int) -> None:
        if self.busy():
            self.update()


def _said(link: Link) -> str:
    plain = {
        "todo": "not reached",
        "busy": "working",
        "ok": "ready",
        "warn": "needs attention",
        "bad": "stopped",
    }
    return link.detail or plain.get(link.state, link.state)


def _fit(widths: list[int], room: int) -> list[int]:
    """Cut the widest ones down to a common width until all fit."""
    widths = list(widths)
    while sum(widths) > room and max(widths) > 40:
        widest = max(widths)
        second = max((w for w in widths if w < widest), default=40)
        number = widths.count(widest)
        cut = max(second, widest - -(-(sum(widths) - room) // number), 40)
        widths = [cut if w == widest else w for w in widths]
    return widths


_WHOLE = 32  # letters of a command that stays in one line
_KEY = re.compile(r"(SHA256:[A-Za-z0-9+/=…]+(?: \([\w-]+\))?)|`([^`\n]+)`")


def rich(text: str) -> str:
    """Plain text as rich text: lines kept; fingerprints and what stands in backticks in fixed pitch."""
    import html  # noqa: PLC0415 - for when there is a problem: it brings a table of 2000 names

    tokens, out, last = style.tokens(), [], 0
    chip = f"font-family:monospace; font-size:12px; background-color:{tokens.panel};"
    for found in _KEY.finditer(text):
        out.append(html.escape(text[last : found.start()]))
        said = html.escape(found[1] or found[2])
        whole = said.replace(" ", "&nbsp;") if len(said) <= _WHOLE else said
        out.append(f'<span style="{chip}">&nbsp;{whole}&nbsp;</span>')
        last = found.end()
    body = "".join([*out, html.escape(text[last:])]).replace("\n", "<br>")
    return f'<div style="line-height:130%">{body}</div>'


class ProblemCard(QFrame):
    """Why it stopped and what to do, right below the chain."""

    copied = Signal()
    explained = Signal()
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._problem: Problem | None = None
        self._mark = parts.StateMark("bad")
        self._title = parts.label(font=style.strong())
        self._title.setWordWrap(True)
        self._hint = QLabel(textFormat=Qt.TextFormat.RichText, wordWrap=True)
        for each in (self._title, self._hint):
            each.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        self.copy = parts.button("Copy details", self.copied.emit)
        self.explain = parts.button("How to fix it…", self.explained.emit)
        self.close_button = parts.button("Close", self.closed.emit, name="Close this message")
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(self._title)
        column.addWidget(self._hint)
        column.addStretch(1)  # beside more buttons than lines the title stays on top
        across = QHBoxLayout(self)
        across.setContentsMargins(18, 14, 16, 16)
        across.setSpacing(16)
        across.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        across.addLayout(column, 1)
        buttons = QVBoxLayout()
        buttons.setSpacing(style.GAP)
        for button in (self.explain, self.copy, self.close_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        across.addLayout(buttons)
        self.hide()

    def show_problem(self, problem: Problem | None, *, mild: bool = False, closable: bool = False) -> None:
        """Show it, or nothing; ``mild``: the connection goes on, or tries again by itself."""
        self._problem = problem
        self.setVisible(problem is not None)
        if problem:
            self._mark.show_shape("warn" if mild else "bad")
            style.mark(self, role="attention" if mild else "problem")
            self.close_button.setVisible(closable)
            self.explain.setVisible(problem.key is not None)
            self._title.setText(texts.homely(problem.title))
            self._hint.setText(rich(texts.homely(problem.hint)))
            self._hint.setVisible(bool(problem.hint))
            self.setAccessibleName(f"{problem.title}. {problem.hint}")

    def restyle(self) -> None:
        """Colours of the text's own markup, after a change of palette."""
        if self._problem:
            self._hint.setText(rich(texts.homely(self._problem.hint)))

    def text(self) -> str:
        """The whole of it, for the clipboard."""
        return f"{self._problem.title}\n{self._problem.hint}".strip() if self._problem else ""
