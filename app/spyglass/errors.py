"""What can go wrong, told so that a person can act on it.

One exception tree: foreign exceptions (paramiko, OSError, JSON) are mapped to a
:class:`Failure` at the border of the module that talks to the foreign thing, and
nothing above ever sees the foreign one. Command line and window show a Failure the
same way: the title says what is, the hint says what to do.
"""

from __future__ import annotations

from typing import NamedTuple


class Failure(Exception):  # noqa: N818 - "Failure" is the word that people read
    """Something did not work; ``title`` says what, ``hint`` what to do next.

    ``retry`` tells whether trying again by itself may help (a lost link: yes, a
    refused password: no). ``code`` is a short stable word for scripts and tests.
    Neither text ever holds a secret.
    """

    retry = False
    code = "failed"

    def __init__(
        self, title: str, hint: str = "", *, retry: bool | None = None, code: str | None = None
    ) -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint
        if retry is not None:
            self.retry = retry
        if code is not None:
            self.code = code

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.code}: {self.title}>"


class Unreachable(Failure):
    """Nothing answers there now: host down, port closed, network gone. Worth another try."""

    retry = True
    code = "unreachable"


class Lost(Failure):
    """A link that worked is gone. Worth another try."""

    retry = True
    code = "lost"


class Denied(Failure):
    """The other side knows us and says no: key, password, cookie, permission."""

    code = "denied"


class WrongKey(NamedTuple):
    """What is known of a host key that must not be trusted; fingerprints are OpenSSH's ``SHA256:…``.

    ``place`` is the ``file:line`` of known_hosts that says so. ``trusted`` is the key that stands
    there, or empty: that line revokes ``shown``. ``remedy`` is the command that forgets the
    trusted key, or empty. (A tuple, as a dataclass would take a fifth of the time of a start that
    only hands over.)
    """

    host: str
    place: str
    shown: str
    shown_type: str
    trusted: str = ""
    trusted_type: str = ""
    remedy: str = ""


class BadHostKey(Failure):
    """The server's host key is unknown (and nobody may be asked), changed or revoked.

    ``key`` is there in the last two cases.
    """

    code = "host-key"

    def __init__(
        self, title: str, hint: str = "", *, code: str | None = None, key: WrongKey | None = None
    ) -> None:
        super().__init__(title, hint, code=code)
        self.key = key


class BadInput(Failure):
    """What a person wrote (a profile, a setting, a target) is not usable; says where."""

    code = "bad-input"


class Missing(Failure):
    """Something that has to be installed or to exist is not there."""

    code = "missing"


class NeedsAnswer(Failure):
    """A question came up and nobody may be asked (``--batch``, autoconnect)."""

    code = "needs-answer"


class Cancelled(Exception):  # noqa: N818 - not an error: somebody changed their mind
    """The person, or a stop, took the request back. Never shown."""
