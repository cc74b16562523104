"""What a person does to profiles: new, edit, duplicate, remove, import, export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from spyglass.errors import BadInput, Failure
from spyglass.profile import Profile
from spyglass.ui import texts, words
from spyglass.ui.dropping import Drops
from spyglass.ui.wishes import consent

if TYPE_CHECKING:
    from spyglass.ui.arranging import Move
    from spyglass.ui.bridge import HubLike
    from spyglass.ui.window import MainWindow


class ProfileChanges:
    """Opens the editor over the window and the question before removing."""

    def __init__(self, hub: HubLike, window: MainWindow) -> None:
        self._hub = hub
        self._window = window
        Drops(window, self.import_files)

    def new(self) -> None:
        """Open the editor on an empty profile."""
        from spyglass.ui.profile_editor import blank  # noqa: PLC0415 - the window first

        self._open(blank(), self._hub.add, "New profile")

    def edit(self) -> None:
        """Open the editor on the chosen profile, or on one that is not saved yet."""
        profile = self._window.sidebar.current()
        if profile and profile.id in self._window.unsaved:
            self._open(profile, self._hub.add, "Save profile")
        elif profile:
            self._open(profile, self._hub.replace, "Edit profile")

    def duplicate(self) -> None:
        """Open the editor on a copy of the chosen profile, under a free name."""
        profile = self._window.sidebar.current()
        if profile:
            taken = {other.name.casefold() for other in self._window.saved}
            names = (f"{profile.name} {number}" for number in range(2, 10_000))
            name = next(each for each in names if each.casefold() not in taken)
            self._open(msgspec.structs.replace(profile, id="", name=name), self._hub.add, "Duplicate profile")

    def ask_import(self) -> None:
        """Let the person choose files of profiles."""
        dialog = self._files("Import profiles")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.import_files([Path(name) for name in names]))
        dialog.open()

    def import_files(self, files: Sequence[Path]) -> None:
        """Save the profile of each file, and show the last one. A broken one is refused with its place."""
        last = ""
        for file in files:
            try:
                last = self._hub.import_(file).id
            except Failure as fault:
                short = fault.title.replace(str(file), file.name)
                self._window.wishes.refused.emit(BadInput(short, fault.hint))
                self._window.complaint.setToolTip(texts.homely(str(file)))
        if last:
            self._window.reload(last)

    def ask_export(self) -> None:
        """Let the person choose where the chosen profile is written to."""
        profile = self._window.sidebar.current()
        if profile and profile.id not in self._window.unsaved:
            from spyglass.store.profiles import slug  # noqa: PLC0415 - see _open

            dialog = self._files("Export profile")
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setDefaultSuffix("toml")
            dialog.selectFile(f"{slug(profile.name)}.toml")
            dialog.fileSelected.connect(
                lambda name: self._window.do(self._hub.export, profile.id, Path(name))
            )
            dialog.open()

    def _files(self, title: str) -> QFileDialog:
        made = QFileDialog(self._window, title)
        made.setNameFilters(["Profiles (*.toml)", "All files (*)"])
        made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return made

    def remove(self) -> None:
        """Forget the chosen profile; after a question if it is a saved one."""
        profile = self._window.sidebar.current()
        if profile and profile.id in self._window.unsaved:
            self._remove(profile)
        elif profile:
            from spyglass.questions import Consent  # noqa: PLC0415 - the window first

            text = (
                "Its connection is closed, its file is removed, and its secrets leave the keyring. "
                "Servers and nodes stay as they are."
            )
            asked = Consent(f"Remove the profile {words.elided(profile.name)}?", text, "Remove", danger=True)
            consent(asked, self._window, lambda: self._remove(profile))

    def step(self, *, down: bool) -> None:
        """Move the chosen profile by one row."""
        profile = self._window.sidebar.current()
        if profile:
            self._window.model.step(profile.id, down=down)

    def arrange(self, move: Move) -> None:
        """Keep a new order of the profiles, and the group that one of them has moved to."""
        window, profile = self._window, move.profile
        if move.group != profile.group:
            window.do(self._hub.replace, msgspec.structs.replace(profile, group=move.group))
        window.do(self._hub.arrange, list(move.order))
        window.reload(profile.id)

    def _remove(self, profile: Profile) -> None:
        self._window.desk.withdraw(profile.id)
        self._window.do(self._hub.remove, profile.id)
        self._window.unsaved.pop(profile.id, None)
        self._window.reload()

    def _open(self, profile: Profile, save: Callable[[Profile], object], title: str) -> None:
        from spyglass import doctor  # noqa: PLC0415 - with all that connecting needs: not before the window
        from spyglass.ui.profile_editor import ProfileEditor  # noqa: PLC0415

        visit = partial(doctor.visit, self._hub)
        editor = ProfileEditor(profile, self._window.saved, save, self._window, title=title, visit=visit)
        editor.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        editor.accepted.connect(lambda: self._saved(editor.result_profile()))
        editor.open()

    def _saved(self, profile: Profile) -> None:
        window = self._window
        window.unsaved.pop(profile.id, None)
        window.reload()
        named = (known.id for known in window.saved if known.name == profile.name)
        window.sidebar.choose(next(named, profile.id))
