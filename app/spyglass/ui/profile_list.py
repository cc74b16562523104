"""The list of connections: groups, each with its profiles and their states."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem

from spyglass.status import Status
from spyglass.ui import arranging, icons, style, words
from spyglass.ui.arranging import UNGROUPED, UNSAVED, Row

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent

    from spyglass.profile import Profile

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
_ELIDE = Qt.TextElideMode.ElideMiddle


class ProfileListModel(QAbstractListModel):
    """Saved profiles by group, then those connected without saving; narrowed by a search."""

    moved = Signal(object)

    def __init__(self, status_of: Callable[[str], Status], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._status_of = status_of
        self._profiles: list[Profile] = []
        self._unsaved: list[Profile] = []
        self._statuses: dict[str, Status] = {}
        self._search = ""
        self._rows: list[Row] = []

    def load(self, saved: Iterable[Profile], unsaved: Iterable[Profile] = ()) -> None:
        """Show these."""
        self._profiles, self._unsaved = list(saved), list(unsaved)
        self._statuses = {p.id: self._status_of(p.id) for p in (*self._profiles, *self._unsaved)}
        self._rebuild()

    def search(self, text: str) -> None:
        """Show only what has these words in its name, group or route."""
        self._search = text.strip().casefold()
        self._rebuild()

    def update_status(self, status: Status) -> None:
        """Take a new status; only the row that looks different is drawn anew."""
        before = self._statuses.get(status.profile_id)
        self._statuses[status.profile_id] = status
        if before and _look(before) == _look(status):
            return
        index = self.index_of(status.profile_id)
        if index.isValid():
            self.dataChanged.emit(index, index)

    def status(self, profile_id: str) -> Status:
        """The newest status known here."""
        return self._statuses.get(profile_id) or Status(profile_id)

    def busy(self) -> bool:
        """Whether some arc has to turn."""
        shown = {row.profile.id for row in self._rows if row.profile}
        return any(words.shape(s) == "busy" for s in self._statuses.values() if s.profile_id in shown)

    def turn(self) -> None:
        """Draw the turning arcs anew."""
        for number, row in enumerate(self._rows):
            if row.profile and words.shape(self.status(row.profile.id)) == "busy":
                index = self.index(number)
                self.dataChanged.emit(index, index, [Role.DecorationRole])

    def profile_at(self, index: Index) -> Profile | None:
        """The profile of a row; None for a heading."""
        return self._rows[index.row()].profile if index.isValid() else None

    def index_of(self, profile_id: str) -> QModelIndex:
        """The row of a profile; an invalid index when it is not shown."""
        for number, row in enumerate(self._rows):
            if row.profile and row.profile.id == profile_id:
                return self.index(number)
        return QModelIndex()

    def first(self) -> QModelIndex:
        """The first profile shown."""
        for number, row in enumerate(self._rows):
            if row.profile:
                return self.index(number)
        return QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Qt: headings and profiles."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """Qt: the name, the tooltip, the words for a screen reader, the row itself (UserRole)."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == Role.UserRole:
            return row
        if row.profile is None:
            return row.heading if role in {Role.DisplayRole, Role.AccessibleTextRole} else None
        return self._profile_data(row.profile, role)

    def _profile_data(self, profile: Profile, role: int) -> object:
        if role == Role.DisplayRole:
            return profile.name
        status = self.status(profile.id)
        if role == Role.AccessibleTextRole:
            return f"{profile.name}, {icons.WORDS[words.shape(status)]}, {profile.route}"
        if role == Role.ToolTipRole:
            return f"{profile.name}\n{profile.route}"
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Qt: headings can't be chosen."""
        if index.isValid() and self._rows[index.row()].profile is None:
            return Qt.ItemFlag.ItemIsDropEnabled
        flags = super().flags(index)
        saved = index.isValid() and self._rows[index.row()].profile in self._profiles
        return flags | Qt.ItemFlag.ItemIsDragEnabled if saved else flags | Qt.ItemFlag.ItemIsDropEnabled

    # -- moving a profile ---------------------------------------------------------------

    def mimeTypes(self) -> list[str]:
        """Qt: what is dragged is a profile of ours; files are the window's business."""
        return [arranging.MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Qt: the profile's id."""
        data = QMimeData()
        for profile in filter(None, map(self.profile_at, indexes)):
            data.setData(arranging.MIME, profile.id.encode())
        return data

    def supportedDropActions(self) -> Qt.DropAction:
        """Qt: a profile moves."""
        return Qt.DropAction.MoveAction

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        """Qt: put it there. False, so that the view removes nothing: the list is loaded anew."""
        onto = parent.row() + (self._rows[parent.row()].profile is None) if parent.isValid() else -1
        at = row if row >= 0 else onto if onto >= 0 else len(self._rows)
        self.move(bytes(data.data(arranging.MIME).data()).decode("ascii", "replace"), at)
        return False

    def move(self, profile_id: str, at: int) -> None:
        """Tell by ``moved`` what becomes of group and order when a profile goes before row ``at``."""
        if made := arranging.move(self._rows, self._profiles, profile_id, at):
            self.moved.emit(made)

    def step(self, profile_id: str, *, down: bool) -> None:
        """Move a profile by one row, into the next group at the end of its own."""
        if (at := arranging.step(self._rows, profile_id, down=down)) >= 0:
            self.move(profile_id, at)

    def _rebuild(self) -> None:
        self.beginResetModel()
        groups: dict[str, list[Row]] = {}
        for profile in self._profiles:
            if self._matches(profile):
                groups.setdefault(profile.group or UNGROUPED, []).append(Row(profile=profile))
        for profile in self._unsaved:
            if self._matches(profile):
                groups.setdefault(UNSAVED, []).append(Row(profile=profile))
        self._rows = [r for name, rows in groups.items() for r in (Row(heading=name), *rows)]
        self.endResetModel()

    def _matches(self, profile: Profile) -> bool:
        text = f"{profile.name} {profile.group} {profile.route}".casefold()
        return all(word in text for word in self._search.split())


def _look(status: Status) -> tuple[str, str]:
    return words.shape(status), words.short(status)


def _is_hovered(option: QStyleOptionViewItem) -> bool:
    """Qt knows. Its names for states cost 6 ms the first time, which the window's start is spared."""
    from PySide6.QtWidgets import QStyle  # noqa: PLC0415 - see above

    return bool(option.state & QStyle.StateFlag.State_MouseOver)


class ProfileDelegate(QStyledItemDelegate):
    """Draws a heading, or a profile in two lines with its state."""

    def __init__(self, model: ProfileListModel, spinner: icons.Spinner) -> None:
        super().__init__(model)
        self._model = model
        self._spinner = spinner

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Qt: grows with the font."""
        lines = QFontMetrics(style.strong()).height() + QFontMetrics(style.small()).height()
        row: Row = index.data(Role.UserRole)
        tall = lines + 17 if row.profile else QFontMetrics(style.small()).height() + 23
        return QSize(120, tall)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: one row."""
        row: Row = index.data(Role.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if row.profile is None:
            self._heading(painter, option.rect, row.heading)
        else:
            self._profile(painter, option, index, row.profile)
        painter.restore()

    @staticmethod
    def _heading(painter: QPainter, rect: QRect, text: str) -> None:
        font = QFont(style.semibold(11 / 13))  # a copy: the shared one stays as it is
        font.setLetterSpacing(font.SpacingType.AbsoluteSpacing, 0.5)
        painter.setFont(font)
        painter.setPen(style.tokens().color("dim"))
        box = rect.adjusted(8, 12, -8, 0)
        shown = QFontMetrics(font).elidedText(text.upper(), _ELIDE, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)

    def _profile(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, profile: Profile
    ) -> None:
        tokens, status = style.tokens(), self._model.status(profile.id)
        view = cast("QListView", option.widget)
        chosen = view.selectionModel().isSelected(index)
        box = option.rect.adjusted(0, 1, 0, -2)
        if chosen or (view.underMouse() and _is_hovered(option)):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.color("selection" if chosen else "hover"))
            painter.drawRoundedRect(box, 7, 7)
        keys = view.hasFocus() and view.window().testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
        if chosen and keys:
            painter.setPen(tokens.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)
        mark = QRect(box.left() + 10, box.center().y() - 5, 12, 12)
        icons.paint(painter, mark.toRectF(), words.shape(status), tokens, self._spinner.turn)
        self._texts(painter, box.adjusted(34, 0, -7, 0), profile, words.short(status), chosen)

    @staticmethod
    def _texts(painter: QPainter, box: QRect, profile: Profile, right: str, chosen: bool) -> None:
        tokens, big, small = style.tokens(), style.strong(), style.small()
        high, low = QFontMetrics(big), QFontMetrics(small)
        painter.setFont(style.font(11 / 13, tabular=True))
        painter.setPen(tokens.color("sel_dim" if chosen else "dim"))
        aside = painter.fontMetrics().horizontalAdvance(right)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, right)
        wide = box.width() - (aside + 5 if right else 0)
        top = box.top() + (box.height() - high.height() - low.height() - 1) // 2
        painter.setFont(small)
        route = low.elidedText(profile.route, _ELIDE, wide)
        painter.drawText(box.left(), top + high.height() + 1 + low.ascent(), route)
        painter.setFont(big)
        painter.setPen(tokens.color("sel_ink" if chosen else "ink"))
        painter.drawText(box.left(), top + high.ascent(), high.elidedText(profile.name, _ELIDE, wide))


class ProfileListView(QListView):
    """The list itself; one profile chosen at a time."""

    def __init__(self, model: ProfileListModel, spinner: icons.Spinner) -> None:
        super().__init__()
        self.setObjectName("profiles")
        self.setAccessibleName("Connections")
        self.setModel(model)
        self.setItemDelegate(ProfileDelegate(model, spinner))
        self.setMouseTracking(True)
        self.setVerticalScrollMode(self.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setEditTriggers(self.EditTrigger.NoEditTriggers)
        self.setDragDropMode(self.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        spinner.turned.connect(model.turn)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the rows changes nothing."""
        if self.indexAt(event.position().toPoint()).flags() & Qt.ItemFlag.ItemIsSelectable:
            super().mousePressEvent(event)
