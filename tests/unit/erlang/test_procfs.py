"""Reading what /proc tells, and the script that asks it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.erlang import procfs, survey
from spyglass.erlang.procfs import Beam, Listener
from support.fake_survey import identity

TCP = (
    "/proc/7/net/tcp:   0: 0100007F:1111 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
    "  1000        0 4711 1 0 100\n"
)


def test_listeners_of_both_families() -> None:
    six = TCP.replace("tcp:", "tcp6:")
    text = (
        TCP + six.replace("0100007F", "0" * 32) + six.replace("0100007F", "0000000000000000FFFF00000200007F")
    )
    assert procfs.read_listeners(text) == {
        "7": (
            Listener("127.0.0.1", 4369, 1000, 4711),
            Listener("", 4369, 1000, 4711),
            Listener("127.0.0.2", 4369, 1000, 4711),
        )
    }


def test_other_states_do_not_listen() -> None:
    assert procfs.read_listeners(TCP.replace(" 0A ", " 01 ")) == {}


def test_local_addresses_without_loopback() -> None:
    lines = (
        "+-- 0.0.0.0/0 3 0 5",
        "|-- 127.0.0.1",
        "/32 host LOCAL",
        "|-- 172.17.0.0",
        "|-- 172.17.0.4",
        "/32 host LOCAL",
    )
    text = "".join(f"/proc/7/net/fib_trie:        {line}\n" for line in lines)
    assert procfs.read_tries(text) == {"7": ("172.17.0.4",)}


@pytest.mark.parametrize(
    "path",
    [
        "0::/system.slice/docker-{}.scope",
        "12:pids:/docker/{}",
        "0::/machine.slice/libpod-{}.scope/container",
        "0::/kubepods.slice/cri-containerd-{}.scope",
        "0::/../nerdctl-{}.scope",
    ],
)
def test_container_ids_in_cgroups(path: str) -> None:
    assert procfs.read_cgroup(path.format(identity(1)) + "\n") == (identity(1),)


def test_the_host_s_cgroups_hold_none() -> None:
    assert procfs.read_cgroup("0::/user.slice/user-1000.slice/session-3.scope\n") == ()


def test_words_with_line_breaks() -> None:
    assert procfs.read_words("a\nb\1c\n\n") == ("a", "b\nc", "")


@pytest.mark.parametrize(
    ("uid_map", "uid", "inside"),
    [
        (((0, 0, 4294967295),), 1000, 1000),
        (((0, 100000, 65536),), 101000, 1000),
        (((0, 100000, 65536),), 7, None),
        ((), 7, None),
    ],
)
def test_the_uid_that_the_container_knows(
    uid_map: tuple[tuple[int, int, int], ...], uid: int, inside: int | None
) -> None:
    assert Beam(1, uid=uid, uid_map=uid_map).inside_uid() == inside


@pytest.mark.parametrize(
    ("words", "environ", "name"),
    [
        ("-name a@b", None, "a@b"),
        ("-sname a", None, "a"),
        ("", {"RELEASE_NODE": "a@b"}, "a@b"),
        ("", {"RELEASE_NODE": "a@b", "RELEASE_DISTRIBUTION": "none"}, None),
        ("-name undefined", None, None),
        ("-extra -name a@b", None, None),
        ("-name", None, None),
    ],
)
def test_the_name_that_it_was_started_with(
    words: str, environ: Mapping[str, str] | None, name: str | None
) -> None:
    assert Beam(1, argv=("beam.smp", *words.split()), environ=environ).name == name


@given(st.text(max_size=400))
def test_any_text_is_a_survey(text: str) -> None:
    mark = "==m"
    for kind in (
        "facts",
        "beam 7",
        "cgroup 7",
        "listening",
        "tries",
        "sockets 7",
        "uidmap 7",
        "engine docker",
        "visible docker",
    ):
        survey.read(f"\n{mark} beam 7\n\n{mark} {kind}\n{text}\n", mark)


def run(shell: list[str], mode: str) -> subprocess.CompletedProcess[bytes]:
    script = f"mark===m\nmode={mode}\n".encode() + survey._script()
    environ = {"PATH": "/nowhere"}
    return subprocess.run(
        [*shell, "-s"], input=script, env=environ, capture_output=True, timeout=20, check=True
    )


@pytest.mark.parametrize("shell", [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"]], ids=" ".join)
def test_the_script_runs_in_every_shell_and_says_nothing_on_standard_error(shell: list[str]) -> None:
    if not (path := shutil.which(shell[0])):
        pytest.skip(f"no {shell[0]} here")
    done = run([path, *shell[1:]], "inside")
    assert done.stderr == b""
    assert done.stdout.endswith(b"\n==m end\n")
    seen = survey.read(done.stdout.decode(), "==m")
    assert (seen.system, seen.readable) == ("Linux", True)
