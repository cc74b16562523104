"""A place that is dialled by commands: which is chosen, where it runs, and what is said without one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spyglass.errors import Lost, Unreachable
from spyglass.remote.api import Api
from spyglass.remote.base import Output
from spyglass.remote.carried import Behind, Carried, broken
from spyglass.remote.container import CommandLine, Facts
from spyglass.remote.local import Local
from support.fake_remote import FakeRemote, Said

ID = "ab" * 32


def place(found: str) -> FakeRemote:
    return FakeRemote({}, lambda argv, stdin: Output(0, found.encode()), lambda argv: Said(b"hi"))


def host(may: str, tool: str = "socat") -> FakeRemote:
    """A host where only this way into a namespace is open."""

    def answer(argv: list[str], stdin: bytes | None) -> Output:
        if argv[-1] == "true":
            return Output(0 if f"; exec {may} -t" in " ".join(argv) else 1)
        return Output(0, tool.encode())

    return FakeRemote({}, answer, lambda argv: Said(b"hi"))


def test_the_tool_is_found_out_once_and_connects_each_time() -> None:
    inside = place("welcome to this host\nperl\n")  # what a login shell says comes before
    carried = Carried(inside)
    streams = [carried.dial("127.0.0.1", port) for port in (4369, 9100)]
    assert [stream.carrier for stream in streams] == ["perl", "perl"]
    assert streams[0].recv(9) == b"hi"
    assert (len(inside.ran), len(inside.piped)) == (1, 2)
    assert inside.piped[1][-2:] == ["127.0.0.1", "9100"]


@pytest.mark.parametrize("may", ["nsenter -n", "sudo -n nsenter -n", "nsenter -U --preserve-credentials -n"])
def test_where_nothing_inside_serves_the_host_enters_the_container_s_network(may: str) -> None:
    outside = host(may)
    stream = Carried(place(""), behind=Behind(outside, 42, ID)).dial("127.0.0.1", 4369)
    assert stream.carrier == "nsenter, socat"
    command = " ".join(outside.piped[0])
    assert f" {ID} 42 " in command  # the process must still be the container's
    assert f"; exec {may} -t " in command


def test_a_container_that_was_started_again_is_entered_by_its_new_process(tmp_path: Path) -> None:
    """The script as it runs on the host; the engine and nsenter are made up."""
    for name, says in {"docker": f"echo {os.getpid()}", "nsenter": 'printf "%s\\n" "$@"'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{says}\n")
        (tmp_path / name).chmod(0o755)
    # what stands in the control group of every process, in the place of a container's id
    behind = Behind.of(Facts("docker", ":/", "web", pid=2**22 + 1, by=CommandLine()), Local())
    before = ["env", f"PATH={tmp_path}:/usr/bin:/bin", *behind.entering("nsenter -n")]
    assert Local().run([*before, "true"]).stdout.split() == [b"-n", b"-t", str(os.getpid()).encode(), b"true"]
    (tmp_path / "docker").write_text("#!/bin/sh\necho 0\n")
    gone = Local().run([*before, "true"])
    assert (gone.status, gone.stderr) == (1, b"It is gone\n")


def test_by_an_engine_s_api_no_process_is_entered() -> None:
    outside = host("nsenter -n")
    facts = Facts("docker", ID, "web", pid=42, by=Api(lambda _: pytest.fail("dialled"), "tcp://far:1"))
    with pytest.raises(Unreachable):
        Carried(place(""), behind=Behind.of(facts, outside)).dial("127.0.0.1", 1)
    assert outside.ran == []


@pytest.mark.parametrize("behind", [None, Behind(host("nothing"), 42, ID), Behind(host("nsenter -n"), 0, ID),
                                    Behind(host("nsenter -n", ""), 42, ID)])  # fmt: skip
def test_without_any_tool_it_is_said_what_to_do(behind: Behind | None) -> None:
    carried = Carried(place("rm -rf /"), behind=behind)
    for _ in range(2):
        with pytest.raises(Unreachable) as failure:
            carried.dial("127.0.0.1", 4369)
        assert failure.value.code == "no-carrier"
        assert failure.value.title.startswith(
            "deploy@web1 has none of nc, perl, socat, python3, bash and erl"
        )
        assert "Publish the port" in failure.value.hint


def test_a_host_that_could_be_an_option_is_not_dialled() -> None:
    inside = place("socat")
    with pytest.raises(Unreachable, match="is no host"):
        Carried(inside).dial("-e/bin/sh", 1)
    assert inside.piped == []


def test_a_lost_link_is_not_remembered_as_an_answer() -> None:
    answers = [Lost("gone")]

    def answer(argv: list[str], stdin: bytes | None) -> Output:
        if answers:
            raise answers.pop()
        return Output(0, b"nc")

    carried = Carried(FakeRemote({}, answer))
    with pytest.raises(Lost):
        carried.dial("127.0.0.1", 1)
    assert carried.dial("127.0.0.1", 1).carrier == "nc"


def test_only_a_carried_connection_is_asked_why_it_broke() -> None:
    inside = place("nc")
    stream = Carried(inside).dial("127.0.0.1", 1)
    inside.streams[0].reason = "nc: connection refused"
    assert broken(stream) == "nc: connection refused"
    assert broken(inside.streams[0]) == ""
