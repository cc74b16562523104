"""Coming to an engine's API: with a person's consent, or with certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spyglass.errors import BadInput, Denied, Unreachable
from spyglass.profile import EngineHop
from spyglass.questions import Consent
from spyglass.remote.engine_host import EngineHost
from support.fake_api import URL, FakeApi


def test_without_tls_a_person_is_asked_first() -> None:
    asked: list[Any] = []
    api = FakeApi({})

    def ask(answer: bool) -> Any:
        return lambda question: asked.append(question) or answer

    with pytest.raises(Denied, match="is not used without TLS"):
        EngineHost.open(EngineHop(URL), api.remote(), ask(False))
    assert api.asked == []
    EngineHost.open(EngineHop(URL), api.remote(), ask(True))
    assert all(isinstance(question, Consent) and question.danger for question in asked)


def test_loopback_is_the_engine_s_host() -> None:
    remote = FakeApi({}).remote()
    host = EngineHost.open(EngineHop(URL, plain=True), remote, pytest.fail)  # type: ignore[arg-type]
    with pytest.raises(Unreachable, match=r"10\.0\.0\.5:9100"):
        host.dial("127.0.0.1", 9100)
    assert host.describe() == URL


@pytest.mark.parametrize("content", [None, "no certificate at all"])
def test_certificates_that_are_none_are_said_before_anything_is_dialled(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    remote = FakeApi({}).remote()
    with pytest.raises(BadInput):
        EngineHost.open(EngineHop(URL, ca=str(path)), remote, pytest.fail)  # type: ignore[arg-type]
    assert remote.dialled == []


def test_https_trusts_nobody_unknown() -> None:
    """No authority named: those of this computer count, and the name is checked."""
    from spyglass.remote.engine_host import _context  # noqa: PLC0415

    context = _context(EngineHop("https://engine.example:2376"))
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"
