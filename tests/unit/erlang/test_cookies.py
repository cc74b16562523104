"""Which cookies come into question, in what order, and where they are said to be from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass import log
from spyglass.erlang import cookies
from spyglass.erlang.cookies import Candidate
from spyglass.erlang.procfs import Beam

ERL = ("/usr/lib/erlang/erts-13.1.5/bin/beam.smp", "--", "-root", "/usr/lib/erlang", "-bindir",
       "/usr/lib/erlang/erts-13.1.5/bin", "-progname", "erl", "--", "-home", "/root", "--")  # fmt: skip


def beam(
    *words: str,
    environ: Mapping[str, str] | None = None,
    files: Sequence[tuple[str, str]] = (),
    argv: tuple[str, ...] = ERL,
) -> Beam:
    return Beam(pid=1, argv=(*argv, *words), environ=environ, files=files)


def told(candidates: list[Candidate]) -> list[tuple[str, str]]:
    return [(c.value, c.source) for c in candidates]


def test_everything_in_order() -> None:
    process = beam(
        "-setcookie", "start",
        environ={"RELEASE_COOKIE": "release", "MY_COOKIE": "mine"},
        files=((".erlang.cookie", "home\n"), ("vm.args", "-name a@b\n-setcookie args\n"), ("COOKIE", "file")),
    )  # fmt: skip
    assert told(cookies.found_in(process)) == [
        ("start", "-setcookie"),  # what it was started with is most likely right
        ("release", "RELEASE_COOKIE"),
        ("mine", "MY_COOKIE"),
        ("file", "releases/COOKIE"),
        ("args", "vm.args"),
        ("home", ".erlang.cookie"),
    ]


def test_where_the_command_line_shows_none_it_is_the_home_directory_s() -> None:
    files = (("vm.args", "-setcookie same"), ("COOKIE", "other"), (".erlang.cookie", "same"))
    process = beam("-sname", "a", files=files, environ={"APP_COOKIE": "web"})
    assert told(cookies.found_in(process)) == [
        ("same", ".erlang.cookie"),
        ("web", "APP_COOKIE"),
        ("other", "releases/COOKIE"),
    ]


def test_one_value_in_many_places_has_the_first_place_for_its_source() -> None:
    process = beam("-setcookie", "same", files=(("COOKIE", "same"), (".erlang.cookie", "same")))
    assert told(cookies.found_in(process, {"RELEASE_COOKIE": "same"})) == [("same", "RELEASE_COOKIE")]


def test_the_process_s_own_environment_goes_before_its_container_s() -> None:
    process = beam(environ={"RELEASE_COOKIE": "now"})
    assert told(cookies.found_in(process, {"RELEASE_COOKIE": "then"})) == [("now", "RELEASE_COOKIE")]


ERL_28 = tuple(word.replace("erts-13.1.5", "erts-16.4") for word in ERL)


@pytest.mark.parametrize(
    ("argv", "words", "source"),
    [  # command lines as they stood in /proc, of OTP 25 and 28
        (ERL, "-noinput -setcookie C", "-setcookie"),
        (ERL, "-noinput -name a@b -setcookie C -- --", "vm.args"),
        (ERL, "-noinput -name a@b -setcookie C -- -start_epmd false --", "vm.args"),
        (ERL, "-noinput -start_epmd false -- -setcookie C --", "-setcookie"),
        (ERL, "-s elixir start_cli -sname x -setcookie C -extra -e code", "-setcookie"),
        (
            ERL,
            "-s elixir start_cli -setcookie C -name a@b -boot /opt/a/releases/1/start -- -extra x",
            "-setcookie",
        ),
        (ERL, "-noinput -setcookie C -- -- -extra foo", "vm.args"),
        (ERL_28, "-noinput -setcookie C --", "-setcookie"),
        (ERL_28, "-noinput -setcookie C -- -- -extra foo", "-setcookie"),
        (ERL_28, "-noinput -name a@b -setcookie C -- --", "vm.args"),
        (ERL_28, "-noinput -setcookie C -- -- -- -extra foo", "vm.args"),
        (ERL_28, "-noinput -start_epmd false -- -setcookie C --", "-setcookie"),
    ],
)
def test_a_cookie_of_an_args_file_is_told_from_one_of_the_command_line(
    argv: tuple[str, ...], words: str, source: str
) -> None:
    assert told(cookies.found_in(beam(*words.split(), argv=argv))) == [("C", source)]


def test_a_cookie_of_erl_aflags_is_no_args_file_where_the_environment_can_be_read() -> None:
    process = beam("-setcookie", "C", "--", "-noinput", "--", environ={"ERL_AFLAGS": "-setcookie C"})
    assert told(cookies.found_in(process)) == [("C", "-setcookie")]


def test_the_last_flag_of_a_command_line_counts_and_what_the_program_gets_does_not() -> None:
    process = beam("-setcookie", "first", "-setcookie", "last", "-extra", "-setcookie", "other")
    assert told(cookies.found_in(process)) == [("last", "-setcookie")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-setcookie abc", ["abc"]),
        ("## no\n  -setcookie\t'abc'\n", ["abc"]),
        ('-setcookie "abc"', ["abc"]),
        ("-setcookie ${RELEASE_COOKIE}", []),
        ("# -setcookie abc", []),
        ("-setcookie one\n-setcookie two", ["two", "one"]),
    ],
)
def test_vm_args(text: str, found: list[str]) -> None:
    assert [c.value for c in cookies.found_in(beam(files=(("vm.args", text),)))] == found


@pytest.mark.parametrize("text", ["", "\n", "two words", "x" * 300, "tab\tin", "\u20ac"])
def test_a_file_that_holds_no_cookie_gives_none(text: str) -> None:
    assert cookies.found_in(beam(files=((".erlang.cookie", text),))) == []


def test_given_for_all_or_for_each() -> None:
    assert cookies.given_for("c", "a@b") == [Candidate("c", "profile")]
    assert cookies.given_for({"a@b": "c"}, "a@b") == [Candidate("c", "profile")]
    assert cookies.given_for({"a@b": "c"}, "x@y") == []
    assert cookies.given_for(None, "a@b") == []


def test_what_is_found_can_no_longer_be_logged_or_printed() -> None:
    found = cookies.found_in(beam(files=((".erlang.cookie", "SECRETWORD\n"),)))
    assert "SECRETWORD" not in repr(found) + log.redact("it is SECRETWORD")
    assert "SECRETWORD" not in repr(
        beam("-setcookie", "SECRETWORD", environ={"RELEASE_COOKIE": "SECRETWORD"})
    )


@given(
    st.text(max_size=200), st.lists(st.text(max_size=20), max_size=10), st.dictionaries(st.text(), st.text())
)
def test_anything_gives_candidates_that_a_node_could_have(
    text: str, words: list[str], environ: dict[str, str]
) -> None:
    files = tuple((kind, text) for kind in ("COOKIE", "vm.args", ".erlang.cookie"))
    found = cookies.found_in(beam(*words, environ=environ, files=files))
    assert len({c.value for c in found}) == len(found)
    assert all(c.value.isprintable() or c.value.isascii() is False for c in found)
