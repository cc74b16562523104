"""Where Spyglass keeps its files.

Four directories, each private (0700) and made when first asked for: ``config`` (profiles,
settings), ``state`` (identity, logs), ``cache`` (compiled modules, found installations) and
``runtime`` (sockets and locks; gone after a reboot). They are the desktop's usual ones, or
all lie below one directory that the person chose (``--profile-dir``).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from spyglass.errors import Denied, Failure

NAME = "spyglass"
_PRIVATE = 0o700


def private(directory: Path) -> Path:
    """Make the directory if need be, closed to other users, and return it.

    Raises Denied when it belongs to somebody else (a trap laid in a shared place) and a
    Failure when it cannot be made.
    """
    try:
        directory.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        _own(directory)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Failure(
            f"The directory {directory} cannot be used: {reason}",
            "Check its permissions and the free space, or choose another place with --profile-dir.",
        ) from error
    return directory


def _own(directory: Path) -> None:
    if os.name == "nt":  # a directory in the user's profile is private by its inherited rights
        return
    found = directory.stat()
    if found.st_uid != os.getuid():
        raise Denied(
            f"The directory {directory} belongs to another user",
            "Remove it, or choose another place with --profile-dir.",
        )
    if stat.S_IMODE(found.st_mode) != _PRIVATE:
        directory.chmod(_PRIVATE)


class Paths(NamedTuple):
    """The four directories. The fields only name them; the methods make them and return them.

    (A tuple, as a dataclass would take a fifth of the time of a start that only hands over.)
    """

    config: Path
    state: Path
    cache: Path
    runtime: Path

    @property
    def profiles(self) -> Path:
        """Where the profiles lie, one file each (not made here)."""
        return self.config / "profiles"

    @property
    def settings(self) -> Path:
        """The file of the settings (not made here)."""
        return self.config / "settings.toml"

    @property
    def ssh_config(self) -> Path | None:
        """A configuration of SSH that counts in place of ``~/.ssh/config``, where there is one here."""
        file = self.config / "ssh_config"
        return file if file.exists() else None

    @property
    def top(self) -> Path | None:
        """The one directory that the four lie in, if they were made by :func:`under`."""
        above = self.config.parent
        return above if self == under(above) else None

    def ensure(self) -> Paths:
        """Make all four, private; return self. Raises what :func:`private` raises."""
        for directory in (self.config, self.state, self.cache, self.runtime):
            private(directory)
        return self


def default() -> Paths:
    """The desktop's usual directories (XDG on Linux, Library on macOS, AppData on Windows)."""
    import platformdirs  # noqa: PLC0415 - a start that only hands over does without

    own = platformdirs.PlatformDirs(NAME, appauthor=False)
    state = Path(own.user_state_dir)
    return Paths(Path(own.user_config_dir), state, Path(own.user_cache_dir), _runtime() or state / "run")


def _runtime() -> Path | None:
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(given) / NAME if Path(given).is_absolute() else None


def runtime() -> Path:
    """The runtime directory in use, made and private, as in :func:`current`, but sooner known."""
    return private((_current.runtime if _current else None) or _runtime() or default().runtime)


def under(directory: Path) -> Paths:
    """All four below one directory: a throw-away set-up, a test, a second installation."""
    top = Path(directory).expanduser().absolute()
    return Paths(top / "config", top / "state", top / "cache", top / "run")


_current: Paths | None = None


def use(paths: Paths) -> Paths:
    """Take these from now on, in the whole process; return them."""
    global _current  # noqa: PLW0603 - one process has one set of directories, chosen at its start
    _current = paths
    return paths


def current() -> Paths:
    """The directories in use, made and private: those given to :func:`use`, else the default ones."""
    return (_current or use(default())).ensure()
