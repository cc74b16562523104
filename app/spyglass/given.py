"""What a profile brings along instead of leaving it to discovery: a cookie, certificates."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from spyglass import log
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
    from spyglass.remote.tls import Credentials, pem  # noqa: PLC0415 - few nodes speak TLS

    key = profile.tls.key or profile.tls.certificate

    @functools.cache
    def passphrase() -> str:
        answer = ask(Secret("passphrase", key))
        return log.forget(answer.value if isinstance(answer, Typed) else str(answer))

    files = (profile.tls.ca, profile.tls.certificate, key)
    ca, certificate, private = (pem(path, "Correct the profile's TLS files.") for path in files)
    return (Credentials(ca, certificate, private, passphrase),)
