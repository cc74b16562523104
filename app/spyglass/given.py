"""What a profile brings along instead of leaving it to discovery: a cookie, certificates."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spyglass import log
from spyglass.errors import BadInput
from spyglass.questions import Ask, Secret, Typed

if TYPE_CHECKING:
    from spyglass.profile import Profile
    from spyglass.remote.tls import Credentials

KIND: Final = "cookie"


def cookie(profile: Profile, ask: Ask) -> str | None:
    """The profile's own cookie, or None where finding one is left to discovery (``auto``).

    Whether ``ask`` has to bother a person is decided behind it: :class:`spyglass.keeping.Keeper`
    answers what it keeps. Raises Cancelled and NeedsAnswer as any question does.
    """
    if profile.cookie == "auto":
        return None
    answer = ask(Secret(KIND, profile.name))
    return log.forget(answer.value if isinstance(answer, Typed) else str(answer))


def credentials(profile: Profile, ask: Ask) -> tuple[Credentials, ...]:
    """What the profile's TLS files hold, if it names any; an encrypted key is asked for its passphrase.

    Raises BadInput for a file that can't be read.
    """
    if not (profile.tls.ca or profile.tls.certificate):
        return ()
    from spyglass.remote.tls import Credentials  # noqa: PLC0415 - few nodes speak TLS

    key = profile.tls.key or profile.tls.certificate

    @functools.cache
    def passphrase() -> str:
        answer = ask(Secret("passphrase", key))
        return log.forget(answer.value if isinstance(answer, Typed) else str(answer))

    ca, certificate, private = (_text(path) for path in (profile.tls.ca, profile.tls.certificate, key))
    return (Credentials(ca, certificate, private, passphrase),)


def _text(path: str) -> str:
    try:
        return Path(path).expanduser().read_text("ascii") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{path} can't be read: {getattr(error, 'strerror', None) or 'it is no PEM file'}",
            "Correct the profile's TLS files.",
            code="bad-certificate",
        ) from None
