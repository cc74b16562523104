from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.erlang.secure import Secured, _Frames
from spyglass.errors import BadInput, Denied, Unreachable
from spyglass.remote.local import Local
from spyglass.remote.tls import Credentials
from support.certificates import Authority

AUTHORITY = Authority()
STRANGER = Authority("Somebody else")


@contextlib.contextmanager
def server(directory: Path, answer: bytes = b"", *, mutual: bool = False) -> Iterator[int]:
    """Answers one connection and sends back what comes, each handshake message with 4 bytes of length."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*AUTHORITY.sign("node", "localhost").write(directory, "node"))
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=AUTHORITY.certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, context, answer))
        thread.start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _serve(listener: socket.socket, context: ssl.SSLContext, answer: bytes) -> None:
    with contextlib.suppress(OSError):
        sock, _ = listener.accept()
        with sock, context.wrap_socket(sock, server_side=True) as secured:
            secured.sendall(answer)
            while data := secured.recv(65536):
                secured.sendall(data)


def test_messages_of_the_handshake_change_their_lengths_and_the_rest_passes(tmp_path: Path) -> None:
    # ``a`` ends the handshake in one direction, ``r`` in the other
    with server(tmp_path, b"\0\0\0\3sok" + b"\0\0\0\2a!" + b"\0\0\0\1x") as port:
        stream = Secured(Local(), Credentials()).dial("127.0.0.1", port)
        heard = b""
        while len(heard) < 14:
            heard += stream.recv(100)
        assert heard == b"\0\3sok" + b"\0\2a!" + b"\0\0\0\1x"
        stream.sendall(b"\0\4n")
        stream.sendall(b"ame" + b"\0\3r!!" + b"\0\0\0\1y")
        echo = b""
        while len(echo) < 20:
            echo += stream.recv(100)
        assert echo == b"\0\0\0\4name" + b"\0\0\0\3r!!" + b"\0\0\0\1y"
        stream.close()


def test_a_server_is_believed_when_its_authority_is_known(tmp_path: Path) -> None:
    with server(tmp_path) as port:
        Secured(Local(), Credentials(AUTHORITY.certificate)).dial("127.0.0.1", port).close()


def test_a_server_of_a_strange_authority_is_refused(tmp_path: Path) -> None:
    with server(tmp_path) as port, pytest.raises(Denied, match="not to be trusted"):
        Secured(Local(), Credentials(STRANGER.certificate)).dial("127.0.0.1", port)


def test_a_client_certificate_opens_what_wants_one(tmp_path: Path) -> None:
    client = AUTHORITY.sign("client")
    with server(tmp_path, b"\0\0\0\1s", mutual=True) as port:
        stream = Secured(Local(), Credentials("", client.certificate, client.key)).dial("127.0.0.1", port)
        assert stream.recv(100) == b"\0\1s"
        stream.close()


def test_who_wants_a_certificate_is_remembered_to_have_said_so(tmp_path: Path) -> None:
    with server(tmp_path, mutual=True) as port:
        place = Secured(Local(), Credentials())
        stream = place.dial("127.0.0.1", port)  # TLS 1.3 tells it only afterwards
        with pytest.raises(OSError, match=r".*"):
            stream.recv(100)
        assert "certificate required" in place.refused("127.0.0.1", port)
        stream.close()


def test_an_encrypted_key_asks_for_its_passphrase(tmp_path: Path) -> None:
    client = AUTHORITY.sign("client", passphrase="open sesame")
    locked = Credentials("", client.certificate, client.key, lambda: "open sesame")
    with server(tmp_path, b"\0\0\0\1s", mutual=True) as port:
        stream = Secured(Local(), locked).dial("127.0.0.1", port)
        assert stream.recv(100) == b"\0\1s"
        stream.close()


@pytest.mark.parametrize(
    "bad",
    [
        Credentials("no certificate"),
        Credentials("", "no certificate"),
        Credentials("", AUTHORITY.sign("a").certificate, AUTHORITY.sign("b").key),
    ],
)
def test_files_that_are_no_certificates_are_refused(bad: Credentials) -> None:
    with pytest.raises(BadInput, match="can't be used"):
        Secured(Local(), bad)


def test_a_port_that_speaks_something_else_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = Secured(Local(), Credentials())
        with pytest.raises(Unreachable, match="does not answer in TLS"):
            place.dial("127.0.0.1", listener.getsockname()[1], 0.2)
        listener.accept()[0].close()


def _hang_up(listener: socket.socket) -> None:
    listener.accept()[0].close()


def test_a_port_that_hangs_up_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_hang_up, args=(listener,))
        thread.start()
        with pytest.raises((Unreachable, Denied)):
            Secured(Local(), Credentials()).dial("127.0.0.1", listener.getsockname()[1], 2)
        thread.join(5)


MESSAGES = st.lists(st.binary(max_size=30).filter(lambda m: m[:1] != b"r"), max_size=8)


@given(MESSAGES, st.binary(max_size=40), st.integers(1, 9))
def test_frames_survive_any_cutting(messages: list[bytes], rest: bytes, step: int) -> None:
    sent = b"".join(len(m).to_bytes(2, "big") + m for m in [*messages, b"r"]) + rest
    wanted = b"".join(len(m).to_bytes(4, "big") + m for m in [*messages, b"r"]) + rest
    frames, got = _Frames(2, 4, b"r"), b""
    for start in range(0, len(sent), step):
        frames.put(sent[start : start + step])
        while piece := frames.take(step):
            got += piece
    assert got == wanted


def test_a_length_that_no_handshake_has_is_refused() -> None:
    with pytest.raises(ConnectionError):
        _Frames(4, 2, b"a").put(b"HTTP/1.1 400 Bad Request")
