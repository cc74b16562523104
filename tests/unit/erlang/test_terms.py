from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.erlang.terms import consult
from spyglass.errors import BadInput


def test_reads_the_options_of_tls_as_otps_guide_writes_them() -> None:
    text = """%% for the distribution
    [{server, [{certfile, "/home/me/ssl/ser\\"ver.pem"}, {depth, 2}, {secure_renegotiate, true}]},
     {client, [{cacertfile, <<"/ca.pem">>}, {verify, 'verify_peer'}, {timeout, -1.5e3}]}]."""
    assert consult(text) == (
        (
            (
                "server",
                (("certfile", '/home/me/ssl/ser"ver.pem'), ("depth", 2), ("secure_renegotiate", "true")),
            ),
            ("client", (("cacertfile", "/ca.pem"), ("verify", "verify_peer"), ("timeout", -1500.0))),
        ),
    )


def test_reads_several_terms_and_an_empty_file() -> None:
    assert consult("a. {b}.\n[].") == ("a", ("b",), ())
    assert consult(" % nothing\n") == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [("[a,\n b", 2), ("[a\n b].", 2), ("#{a => 1}.", 1), ("\n\n\x00.", 3), ("[" * 99, 1), ("{a]. ", 1)],
)
def test_tells_the_line_of_what_it_cannot_read(text: str, line: int) -> None:
    with pytest.raises(BadInput, match=f"Line {line} "):
        consult(text)


@given(st.text(alphabet="[]{}<>,.\"'\\ %ab1-\n"))
def test_anything_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadInput):
        consult(text)
