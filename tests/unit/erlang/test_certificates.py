from __future__ import annotations

import pytest

from spyglass.erlang.certificates import Named, named, read, speaks_tls
from spyglass.erlang.procfs import Beam
from spyglass.errors import BadInput, Missing

FILES = {
    "/dist.conf": b'[{server, [{certfile, "/s.pem"}, {keyfile, "/s.key"}]},'
    b" {client, [{verify, verify_none}]}].",
    "/both.conf": b'[{server, [{certfile, "/s.pem"}, {keyfile, "/s.key"}]}, {client, [{certfile, "/c.pem"},'
    b' {password, "let me in"}, {cacertfile, "/ca.pem"}, {verify, verify_peer}]}].',
    "/s.pem": b"S",
    "/s.key": b"the private key of s",
    "/c.pem": b"C",
    "/ca.pem": b"CA",
}


def test_a_node_speaks_tls_when_it_was_started_so() -> None:
    assert speaks_tls(Beam(1, argv=("beam.smp", "-proto_dist", "inet_tls")))
    assert speaks_tls(Beam(1, argv=("beam.smp", "-proto_dist", "inet6_tls")))
    assert not speaks_tls(Beam(1, argv=("beam.smp", "-proto_dist", "inet6_tcp")))
    assert not speaks_tls(None)


def test_the_command_line_tells_of_a_file_or_of_single_options() -> None:
    told = named(Beam(1, argv=("beam.smp", "-ssl_dist_optfile", "/dist.conf", "-name", "a@b")))
    assert told == Named("/dist.conf")
    words = "-ssl_dist_opt server_certfile /s.pem server_keyfile /s.key -name a@b"
    assert named(Beam(1, argv=("beam.smp", *words.split()))).options == (
        ("server_certfile", "/s.pem"),
        ("server_keyfile", "/s.key"),
    )
    assert not named(Beam(1))


def test_the_servers_own_certificate_serves_where_no_client_has_one() -> None:
    credentials = read(Named("/dist.conf"), FILES.get)
    assert (credentials.certificate, credentials.key) == ("S", "the private key of s")
    assert not credentials.authorities  # it verifies nobody, so we do not either


def test_the_clients_certificate_comes_first_with_its_password_and_its_authority() -> None:
    credentials = read(Named("/both.conf"), FILES.get)
    assert (credentials.certificate, credentials.key, credentials.authorities) == ("C", "", "CA")
    assert credentials.passphrase
    assert credentials.passphrase() == "let me in"


def test_single_options_name_them_as_well() -> None:
    told = Named(options=(("client_certfile", "/c.pem"), ("client_keyfile", "/s.key")))
    assert read(told, FILES.get).certificate == "C"


def test_no_private_key_is_shown() -> None:
    assert "private" not in repr(read(Named("/dist.conf"), FILES.get))


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (None, Missing, "/x.conf can't be read there"),
        (b"[{server, []}].", Missing, "name no certificate"),
        (b'[{server, [{certfile, "/nowhere.pem"}]}].', Missing, "/nowhere.pem can't be read there"),
        (b"\xff\xfe", BadInput, "/x.conf is no text"),
        (b"what is this", BadInput, "Line 1 has"),
    ],
)
def test_what_cannot_be_had_is_told(text: bytes | None, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        read(Named("/x.conf"), {**FILES, "/x.conf": text}.get)
