"""The command lines of engines: which are believed in, and what they run."""

from __future__ import annotations

import pytest

from spyglass.remote.base import Output
from spyglass.remote.command_line import SUDO, CommandLine
from support.fake_remote import FakeRemote

OWN = "DOCKER_HOST=unix:///run/user/1000/docker.sock"


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("docker rootful ", CommandLine("docker")),
        ("podman rootless", CommandLine("podman", (), rootless=True)),
        ("podman rootful sudo -n", CommandLine("podman", SUDO)),
        (f"docker rootless env {OWN}", CommandLine.at("/run/user/1000/docker.sock", rootless=True)),
    ],
)
def test_the_survey_s_words_are_read(text: str, way: CommandLine) -> None:
    assert CommandLine.read(text) == way


@pytest.mark.parametrize(
    "text",
    [
        "",
        "docker",
        "docker rooty",
        "sh rootful",
        "docker rootful rm -rf /",
        "docker rootful sudo",
        "docker rootful env",
        "docker rootful env PATH=/tmp",
        f"docker rootful env {OWN} sh",
        "docker rootful env DOCKER_HOST=unix://evil",
    ],
)
def test_words_that_no_survey_writes_are_no_way(text: str) -> None:
    assert CommandLine.read(text) is None


def test_what_stands_before_the_command_stands_before_each_of_its_commands() -> None:
    host = FakeRemote({}, lambda argv, stdin: Output(0, b"tar"))
    way = CommandLine("podman", SUDO)
    way.execute(host, "abc", ["id", "-u"], b"", "7", 3.0)
    assert way.archive(host, "abc", "/etc/x y") == b"tar"
    assert [words[3:] for words in host.ran] == [
        ["sudo", "-n", "podman", "exec", "-i", "-u", "7", "abc", "id", "-u"],
        ["sudo", "-n", "podman", "cp", "abc:/etc/x y", "-"],
    ]
