"""Keeps a table's columns fitted to its room, as far as the person has not said otherwise."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QFontMetrics

from spyglass.ui import style
from spyglass.ui.widths import Need, divide

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from PySide6.QtWidgets import QTableView

    from spyglass.ui.columns import Column

_REFERENCE = 59.0  # pixels of "0000000" in 13 px, the font for which the columns' widths are meant
_PADS = 26  # around a cell's text
_BOX = 18  # around the text of a chip, besides
_MEASURED = 12  # the longest texts of a column decide; so many are measured


class Fitting(QObject):
    """The columns of one table. What a person drags or chooses stays as it is, and is remembered."""

    def __init__(self, table: QTableView, columns: Sequence[Column]) -> None:
        super().__init__(table)
        self._table = table
        self._columns = columns
        self._dragged: dict[int, int] = {}
        self._wanted: dict[int, bool] = {}
        self._texts: dict[int, tuple[str, ...]] = {}
        self._ours = False
        self._before: tuple[object, ...] = ()
        header = table.horizontalHeader()
        header.setStretchLastSection(False)
        header.sectionResized.connect(self._resized)
        self._header = header.viewport()
        for watched in (table.viewport(), self._header):
            watched.installEventFilter(self)
        self.fit()

    def wants(self, column: int) -> bool:
        """Whether the column is wanted, be there room or not."""
        return column == 0 or self._wanted.get(column, self._columns[column].shown)

    def want(self, column: int, wanted: bool) -> None:
        """The person chooses a column, or does without it."""
        self._wanted[column] = wanted
        self.fit()

    def left_out(self) -> list[int]:
        """The columns that are wanted and have no room."""
        header = self._table.horizontalHeader()
        return [at for at in range(len(self._columns)) if self.wants(at) and header.isSectionHidden(at)]

    def show_texts(self, texts: Mapping[int, Sequence[str]]) -> None:
        """What stands in the columns whose width depends on it."""
        longest = {at: tuple(sorted(set(each), key=len)[-_MEASURED:]) for at, each in texts.items()}
        if longest != self._texts:
            self._texts = longest
            self.fit()

    def fit(self) -> None:
        """Divide the room anew, if anything is different."""
        shown = [at for at in self._order() if self.wants(at)]
        needs = [self._need(at) for at in shown]
        room = self._table.viewport().width()
        if (now := (room, tuple(shown), tuple(needs))) == self._before:
            return
        self._before = now
        widths = dict(zip(shown, divide(room, needs), strict=True))
        header = self._table.horizontalHeader()
        with self._by_us():
            for at in range(len(self._columns)):
                header.setSectionHidden(at, not widths.get(at))
                if widths.get(at):
                    header.resizeSection(at, widths[at])

    def _order(self) -> list[int]:
        """As they stand, but the names first: they are served first."""
        header = self._table.horizontalHeader()
        return [0, *(at for at in map(header.logicalIndex, range(len(self._columns))) if at)]

    def _need(self, at: int) -> Need:
        column = self._columns[at]
        rank = 0 if self._wanted.get(at) else column.rank
        if width := self._dragged.get(at):
            return Need(width, width, rank)
        least = self._least(at)
        metrics = QFontMetrics(style.strong() if column.look == "strong" else style.font())
        pads = _PADS + (_BOX if column.look == "chip" else 0)
        best = max((metrics.horizontalAdvance(text) + pads for text in self._texts.get(at, ())), default=0)
        if column.look == "prose":  # read to the end where that is not long, at its width where it is
            usual = round(column.width * _scale())
            fits = max(least, min(best, usual))
            return Need(fits, fits, rank, usual)
        return Need(least, max(least, best), rank, 0 if at in self._texts else round(column.width * _scale()))

    def _least(self, at: int) -> int:
        """Room for a short text, and for each word of the title."""
        column, metrics = self._columns[at], QFontMetrics(style.small())
        title = max(metrics.horizontalAdvance(word) for word in column.title.split())
        return max(round((column.least or column.width) * _scale()), title + _PADS)

    def _resized(self, at: int, _old: int, new: int) -> None:
        """A person dragged it (or somebody set it): the last column takes what that leaves."""
        if self._ours or not new:
            return
        self._dragged[at] = new
        header = self._table.horizontalHeader()
        shown = [each for each in self._order() if not header.isSectionHidden(each)]
        last, rest = shown[-1], sum(header.sectionSize(each) for each in shown[:-1])
        if last not in {at, *self._dragged}:
            with self._by_us():
                header.resizeSection(last, max(self._least(last), self._table.viewport().width() - rest))

    @contextmanager
    def _by_us(self) -> Iterator[None]:
        self._ours = True
        try:
            yield
        finally:
            self._ours = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: the table has become wider or narrower, its font has changed, or a column was let go."""
        let_go = watched is self._header and event.type() is QEvent.Type.MouseButtonRelease
        if let_go:
            QTimer.singleShot(0, self, self.fit)
        elif event.type() in {QEvent.Type.Resize, QEvent.Type.FontChange}:
            self.fit()
        return super().eventFilter(watched, event)

    # -- remembered ---------------------------------------------------------------------

    def save(self) -> QByteArray:
        """The order, and what the person dragged and chose."""
        header = self._table.horizontalHeader()
        sorting = [header.sortIndicatorSection(), header.sortIndicatorOrder().value]
        names = [column.title for column in self._columns]
        kept = {
            "order": [names[at] for at in map(header.logicalIndex, range(len(names)))],
            "widths": {names[at]: width for at, width in self._dragged.items()},
            "wanted": {names[at]: wanted for at, wanted in self._wanted.items()},
            "sorting": sorting if header.isSortIndicatorShown() else [-1, 0],
        }
        return QByteArray(json.dumps(kept).encode())

    def restore(self, kept: QByteArray) -> bool:
        """Take what :meth:`save` gave; False, and nothing changes, when it is none."""
        at = {column.title: number for number, column in enumerate(self._columns)}
        try:
            told = json.loads(bytes(kept.data()))
            order = [at[name] for name in told["order"] if name in at]
            self._dragged = {at[name]: int(width) for name, width in told["widths"].items() if name in at}
            self._wanted = {at[name]: bool(wanted) for name, wanted in told["wanted"].items() if name in at}
            section, direction = told["sorting"]
            direction = Qt.SortOrder(direction)
        except (ValueError, TypeError, KeyError, AttributeError):
            return False
        header = self._table.horizontalHeader()
        for place, logical in enumerate(order):
            header.moveSection(header.visualIndex(logical), place)
        self._table.sortByColumn(section if -1 <= section < len(self._columns) else -1, direction)
        self.fit()
        return True


def _scale() -> float:
    """How much larger than 13 px the font in use is."""
    return QFontMetrics(style.font(tabular=True)).horizontalAdvance("0000000") / _REFERENCE
