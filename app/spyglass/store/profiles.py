"""The saved profiles: a directory with one TOML file each.

The files are the person's: they may be edited, copied, put under version control, and
shared (no secret is ever in one). So nothing is kept in memory, each call looks at the
directory anew, and a file that cannot be understood is reported and left alone.

A file is named after its profile when that is added; renaming a profile keeps the file.
A file without an ``id`` (written by hand) has one that follows from its file name. The
order lies in ``.order``, one id a line; whoever is not in it comes last.
"""

from __future__ import annotations

import re
import threading
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from spyglass.errors import BadInput, Failure, Missing
from spyglass.profile import Profile, check
from spyglass.store import document, files, paths

_NO_ID = uuid.UUID("6a1c1f0e-8f0d-4b0c-9a5e-2f7d3f0e5b11")  # names the ids of files without one; ours alone
_ORDER = ".order"
_COUNTED = re.compile(r" \(\d+\)$")


class _Entry(NamedTuple):
    path: Path
    profile: Profile


class Profiles:
    """The profiles of one directory (made when the first one is added)."""

    def __init__(self, directory: Path) -> None:
        self.directory = Path(directory)
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<Profiles in {self.directory}>"

    def load(self) -> tuple[list[Profile], list[Failure]]:
        """All profiles in their order, and one Failure for each file that gives none."""
        entries, failures = self._scan()
        return [entry.profile for entry in entries], list(failures.values())

    def get(self, name_or_id: str) -> Profile:
        """The profile of that id, else of that name (capitals do not matter).

        Raises the file's own BadInput if a file of that name is there but broken, else Missing.
        """
        return self._entry(name_or_id).profile

    def add(self, profile: Profile) -> Profile:
        """Save a new profile, last in the order; return it with its id.

        Raises BadInput if it is not usable or its name is taken.
        """
        with self._lock:
            entries, _ = self._scan()
            _refuse_taken(profile, entries)
            ids = {entry.profile.id for entry in entries}
            new = check(msgspec.structs.replace(profile, id=_fresh_id(profile.id, ids)))
            paths.private(self.directory)
            self._create(new)
            self.arrange([*(entry.profile.id for entry in entries), new.id])
        return new

    def replace(self, profile: Profile) -> Profile:
        """Save another content for the profile of this id; return it. Raises Missing, BadInput.

        Comments in the file do not survive that, so a file that has some is kept as ``….toml.bak``.
        """
        with self._lock:
            entries, _ = self._scan()
            old = self._entry(profile.id)
            _refuse_taken(profile, [entry for entry in entries if entry.path != old.path])
            check(profile)
            files.keep(old.path)
            files.write(old.path, document.dump(profile))
        return profile

    def rename(self, profile_id: str, name: str) -> Profile:
        """Give it another name. Raises Missing, or BadInput if the name is taken."""
        with self._lock:
            return self.replace(msgspec.structs.replace(self.get(profile_id), name=name))

    def remove(self, profile_id: str) -> Profile:
        """Delete the profile's file; return what was in it. Raises Missing."""
        with self._lock:
            entry = self._entry(profile_id)
            try:
                entry.path.unlink(missing_ok=True)
            except OSError as error:
                raise Failure(f"{entry.path} cannot be removed: {error.strerror}", code="disk") from error
        return entry.profile

    def arrange(self, ids: Sequence[str]) -> None:
        """Set the order in which :meth:`load` returns them."""
        paths.private(self.directory)
        files.write(self.directory / _ORDER, "".join(f"{one}\n" for one in ids).encode())

    def export(self, profile_id: str, path: Path, *, overwrite: bool = False) -> None:
        """Write the profile to a file for somebody else. Raises Missing, BadInput if the file exists."""
        data = document.dump(self.get(profile_id))
        if overwrite:
            files.write(path, data)
        elif not files.create(path, data):
            raise BadInput(f"{path} exists already", "Choose another name, or remove that file first.")

    def import_(self, path: Path) -> Profile:
        """Add the profile of a file; a taken id is renewed, a taken name counted up. Raises BadInput."""
        found = _parse(path, str(path))
        with self._lock:
            taken = {entry.profile.name.casefold() for entry in self._scan()[0]}
            return self.add(msgspec.structs.replace(found, name=unique_name(found.name, taken)))

    def _scan(self) -> tuple[list[_Entry], dict[Path, Failure]]:
        """What each file gives; of two with the same id or name the one with the earlier file name wins."""
        entries: list[_Entry] = []
        failures: dict[Path, Failure] = {}
        for path in self._files():
            try:
                entry = _Entry(path, _parse(path, path.name))
                _refuse_double(entry, entries)
                entries.append(entry)
            except Failure as failure:
                failures[path] = failure
        order = {one: position for position, one in enumerate(self._order())}
        entries.sort(
            key=lambda entry: (order.get(entry.profile.id, len(order)), entry.profile.name.casefold())
        )
        return entries, failures

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self.directory.glob("*.toml") if not path.name.startswith("."))
        except OSError as error:
            raise Failure(f"{self.directory} cannot be read: {error.strerror}", code="disk") from error

    def _order(self) -> list[str]:
        try:
            return files.read(self.directory / _ORDER).decode("ascii", "replace").split()
        except Failure:  # none yet, or not ours to read: an order is a comfort only
            return []

    def _entry(self, name_or_id: str) -> _Entry:
        entries, failures = self._scan()
        for wanted in (_by_id, _by_name):
            for entry in entries:
                if wanted(entry.profile, name_or_id):
                    return entry
        for path, failure in failures.items():
            if path.stem == slug(name_or_id):
                raise failure
        raise Missing(f"There is no profile {name_or_id!r}", "See `spyglass profiles list`.")

    def _create(self, profile: Profile) -> None:
        data, stem = document.dump(profile), slug(profile.name)
        number = 1
        while not files.create(self.directory / f"{_numbered(stem, number)}.toml", data):
            number += 1


def slug(name: str) -> str:
    """A file name (without ending) for a profile's name: small ASCII letters, digits, hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-") or "profile"


def unique_name(name: str, taken: Iterable[str]) -> str:
    """The name itself, or ``name (2)``, ``name (3)`` …; ``taken`` holds casefolded names."""
    known, base, number = set(taken), _COUNTED.sub("", name), 2
    while name.casefold() in known:
        name, number = f"{base} ({number})", number + 1
    return name


def _parse(path: Path, name: str) -> Profile:
    content = document.table(files.read(path), name)
    profile = document.shape(content, Profile, name)
    try:
        check(profile)
    except BadInput as fault:
        raise BadInput(f"{name}: {fault.title}", f"{fault.hint} The file was left as it is.") from fault
    return profile if profile.id else msgspec.structs.replace(profile, id=uuid.uuid5(_NO_ID, path.stem).hex)


def _refuse_double(new: _Entry, entries: list[_Entry]) -> None:
    for known in entries:
        if known.profile.id == new.profile.id:
            raise BadInput(
                f"{new.path.name} has the same `id` as {known.path.name}",
                "Remove the line `id` from one of them; it gets another one by itself.",
            )
        if _by_name(known.profile, new.profile.name):
            raise BadInput(
                f"{new.path.name} has the same name as {known.path.name}: {new.profile.name!r}",
                "Change the field `name` in one of them.",
            )


def _refuse_taken(profile: Profile, others: list[_Entry]) -> None:
    if any(_by_name(other.profile, profile.name) for other in others):
        raise BadInput(
            f"There is already a profile {profile.name!r}", "Choose another name.", code="name-taken"
        )


def _by_id(profile: Profile, text: str) -> bool:
    return profile.id == text


def _by_name(profile: Profile, text: str) -> bool:
    return profile.name.casefold() == text.casefold()


def _fresh_id(wanted: str, taken: set[str]) -> str:
    return wanted if wanted and wanted not in taken else uuid.uuid4().hex


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"
