"""What an engine's event means for a target."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.erlang import events
from spyglass.remote.base import Output
from spyglass.remote.container import CommandLine
from spyglass.selector import Selector
from support.fake_remote import FakeRemote, Said


def docker(action: str = "start", kind: str = "container", **attributes: str) -> bytes:
    about = {"name": "web", "image": "elixir:lab", **attributes}
    told = {"Type": kind, "Action": action, "Actor": {"ID": "c0ffee", "Attributes": about}, "time": 1}
    return json.dumps(told).encode()


PODMAN = (
    b'{"ID":"c0ffee","Image":"elixir:lab","Name":"web","Status":"died","Type":"container","Attributes":null}'
)
NERDCTL = b'{"Timestamp":"2026","ID":"x","Namespace":"default","Topic":"/tasks/start","Event":"{}"}'


@pytest.mark.parametrize("line", [docker(), NERDCTL, docker("connect", "network"), docker("unpause")])
def test_a_node_may_follow(line: bytes) -> None:
    assert events.judge(line, Selector()) == events.News(rising=True)


@pytest.mark.parametrize("line", [docker("die"), PODMAN, docker("disconnect", "network"), docker("pause")])
def test_a_node_may_be_gone(line: bytes) -> None:
    assert events.judge(line, Selector(container="web*")) == events.News(rising=False)


@pytest.mark.parametrize(
    "line",
    [b"", b"no JSON", b"[]", docker("exec_start: sh -s"), docker("health_status: healthy"), docker("top")],
)
def test_noise_is_no_news(line: bytes) -> None:
    assert events.judge(line, Selector()) is None


def test_another_container_is_no_news_but_its_new_name_is() -> None:
    assert events.judge(docker(), Selector(container="db")) is None
    assert events.judge(docker(), Selector(label=("tier",))) is None
    assert events.judge(docker(tier="front"), Selector(label=("tier",)))
    assert events.judge(docker("rename"), Selector(container="db"))
    assert events.judge(docker("connect", "network"), Selector(container="db"))


def test_what_an_event_cannot_tell_is_looked_at() -> None:
    assert events.judge(docker(), Selector(network_alias="web", dns="web.internal"))


VALUES: Any = st.recursive(
    st.none() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["Action", "Actor", "Attributes", "Type", "name", "image", "Name", "ID", "Topic"]
            ),
            inner,
        )
    ),
)


@given(VALUES)
def test_surprising_types_do_no_harm(told: object) -> None:
    events.judge(json.dumps(told).encode(), Selector(container="web", image="x"))


def test_only_engines_that_answered_are_listened_to_by_one_command() -> None:
    remote = FakeRemote({}, lambda *_: Output(127), lambda _argv: Said(b""))
    assert events.follow(remote, ()) is None
    assert events.follow(remote, (CommandLine(), CommandLine("docker", ("sudo", "-n"))))
    assert [argv[-2:] for argv in remote.piped] == [["docker", "sudo -n docker"]]
    assert events.follow(remote, (), (5, 77))
    assert remote.piped[-1][4:] == ["host 5 77"]


def test_word_of_the_host_s_own_processes_concerns_a_whole_place() -> None:
    assert events.judge(b'{"Type":"host","Action":"start"}', Selector()) == events.News(rising=True)
    assert events.judge(b'{"Type":"host","Action":"die"}', Selector()) == events.News(rising=False)
