from pathlib import Path
from typing import Any

import pytest

from spyglass import given
from spyglass.errors import BadInput
from spyglass.profile import TLS, Profile
from spyglass.questions import Secret, Typed
from support.certificates import Authority

ID = "1" * 32


def refuse(question: Any) -> str:
    raise AssertionError(question)


def test_auto_asks_nobody() -> None:
    assert given.cookie(Profile(name="p", id=ID), refuse) is None


@pytest.mark.parametrize("source", ["ask", "keyring"])
@pytest.mark.parametrize("answer", ["TYPED", Typed("TYPED", "keyring")], ids=["str", "Typed"])
def test_what_is_not_left_to_discovery_is_asked_for(source: Any, answer: Any) -> None:
    asked: list[Any] = []
    profile = Profile(name="p", id=ID, cookie=source)
    assert given.cookie(profile, lambda q: asked.append(q) or answer) == "TYPED"
    assert asked == [Secret("cookie", "p")]


def test_tls_files_are_read_and_only_an_encrypted_key_asks(tmp_path: Path) -> None:
    authority = Authority()
    pair = authority.sign("client", passphrase="open sesame")
    certificate, key = pair.write(tmp_path, "client")
    asked: list[Any] = []
    profile = Profile(name="p", id=ID, tls=TLS(certificate=str(certificate), key=str(key)))
    (credentials,) = given.credentials(profile, lambda q: asked.append(q) or "open sesame")
    assert not asked
    credentials.context()
    credentials.context()
    assert asked == [Secret("passphrase", str(key))]


def test_without_tls_files_there_is_nothing_to_read() -> None:
    assert given.credentials(Profile(name="p", id=ID), refuse) == ()


def test_a_tls_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    profile = Profile(name="p", id=ID, tls=TLS(ca=str(tmp_path / "nowhere.pem")))
    with pytest.raises(BadInput, match=r"nowhere\.pem can't be read"):
        given.credentials(profile, refuse)


@pytest.mark.parametrize("content", [b"no certificate at all", b"\x30\x82\x01\x0a", b""])
def test_a_tls_file_of_another_kind_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ca.der").write_bytes(content)
    profile = Profile(name="p", id=ID, tls=TLS(ca=str(tmp_path / "ca.der")))
    with pytest.raises(BadInput, match=r"ca\.der can't be read: it is no PEM file"):
        given.credentials(profile, refuse)


def test_words_of_any_alphabet_may_stand_around_what_is_encoded(tmp_path: Path) -> None:
    text = f"Aussteller: Prüfstelle\n{Authority().certificate}"
    (tmp_path / "ca.pem").write_text(text, encoding="utf-8")
    profile = Profile(name="p", id=ID, tls=TLS(ca=str(tmp_path / "ca.pem")))
    (credentials,) = given.credentials(profile, refuse)
    assert credentials.context().get_ca_certs()
