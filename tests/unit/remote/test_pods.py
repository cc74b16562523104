"""What kubectl may answer, in the form of "PodList v1 core" of the Kubernetes API Reference."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import Denied, Failure, Missing, Unreachable
from spyglass.kubernetes import KubernetesHop
from spyglass.remote.base import Output
from spyglass.remote.engine import read_inspect
from spyglass.remote.pods import Pods
from support.fake_remote import FakeRemote

ID = "ab" * 32


def pod(**status: Any) -> dict[str, Any]:
    running = {"name": "app", "containerID": f"containerd://{ID}", "state": {"running": {}}}
    told = {
        "podIP": "10.42.0.7",
        "podIPs": [{"ip": "10.42.0.7"}, {"ip": "fd00::7"}],
        "containerStatuses": [running],
    }
    env = [{"name": "RELEASE_NODE", "value": "shop@10.42.0.7"}, {"name": "SECRET", "valueFrom": {}}]
    return {
        "metadata": {"name": "shop-1", "namespace": "web", "labels": {"app": "shop"}},
        "spec": {"containers": [{"name": "app", "image": "shop:1.2", "env": env}]},
        "status": told | status,
    }


def pods(*items: Any, output: Output | None = None) -> tuple[Pods, FakeRemote]:
    text = json.dumps({"kind": "List", "items": list(items)}).encode()
    remote = FakeRemote({}, lambda _argv, _stdin: output or Output(0, text))
    return Pods(remote, KubernetesHop("web")), remote


def test_a_running_container_is_read_with_its_pods_addresses_and_labels() -> None:
    asked, _ = pods(pod())
    (identity,) = asked.ids()
    (facts,), warnings = read_inspect(asked, [asked.inspect(identity) or ""])
    assert (facts.id, facts.name, facts.image, facts.hostname) == (ID, "shop-1", "shop:1.2", "shop-1")
    assert (facts.addresses, facts.labels) == (("10.42.0.7", "fd00::7"), {"app": "shop"})
    assert (facts.environ, facts.engine, warnings) == ({"RELEASE_NODE": "shop@10.42.0.7"}, "kubernetes", [])


def test_a_pod_of_two_containers_is_one_network_and_both_are_named() -> None:
    two = {"name": "proxy", "containerID": "containerd://" + "cd" * 32, "state": {"running": {}}}
    first = pod()["status"]["containerStatuses"]
    asked, _ = pods(pod(containerStatuses=[*first, two]))
    facts, _ = read_inspect(asked, [asked.inspect(i) or "" for i in asked.ids()])
    assert [(f.name, f.mode) for f in facts] == [("shop-1/app", ""), ("shop-1/proxy", f"container:{ID}")]


def test_what_does_not_run_is_left_out() -> None:
    waiting = {"name": "app", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    asked, _ = pods(pod(containerStatuses=[waiting]), pod(containerStatuses=None), {"metadata": {}})
    assert asked.ids() == []


def test_the_answer_that_opened_the_place_serves_the_first_look_and_no_other() -> None:
    asked, remote = pods(pod())
    asked.refresh()
    assert asked.ids() == [ID]
    assert len(remote.ran) == 1
    assert asked.ids() == [ID]
    assert len(remote.ran) == 2


def test_a_command_runs_in_the_container_of_its_pod() -> None:
    asked, remote = pods(pod())
    asked.ids()
    asked.execute(remote, ID, ["id", "-u"], b"", "root", 5)
    words = remote.ran[-1]
    assert words[words.index("exec") :] == [
        "exec", "--stdin", "--namespace=web", "shop-1", "--container=app", "--", "id", "-u",
    ]  # fmt: skip


def test_a_container_that_is_gone_is_told() -> None:
    asked, remote = pods(pod())
    with pytest.raises(Unreachable, match="gone"):
        asked.execute(remote, ID, ["id"], None, "", 5)


@pytest.mark.parametrize(
    ("status", "said", "kind", "words"),
    [
        (127, b"sh: kubectl: not found", Missing, "no kubectl"),
        (1, b'Error from server (Forbidden): pods is forbidden: User "x"', Denied, "does not let us list"),
        (1, b"Unable to connect to the server: dial tcp: i/o timeout", Unreachable, "does not answer"),
        (1, b"error: context \x1b[31m was not found", Failure, "failed"),
        (0, b"", Failure, "no list of pods"),
    ],
)
def test_what_kubectl_complains_of_is_told(status: int, said: bytes, kind: type[Failure], words: str) -> None:
    asked, _ = pods(output=Output(status, b"not json", said))
    with pytest.raises(kind, match=words) as failure:
        asked.ids()
    assert failure.value.hint.isprintable()


@given(
    st.sampled_from(["metadata", "spec", "status"]),
    st.sampled_from(["name", "namespace", "labels", "containers", "containerStatuses", "podIPs", "podIP"]),
    st.one_of(
        st.none(), st.integers(), st.text(max_size=20), st.lists(st.integers(), max_size=2), st.just({"a": 1})
    ),
)
def test_any_type_in_any_field_is_survived(part: str, name: str, value: Any) -> None:
    strange = pod()
    strange[part][name] = value
    asked, _ = pods(strange, pod())
    told = [asked.inspect(identity) or "" for identity in asked.ids()]
    assert "shop-1" in {facts.name for facts in read_inspect(asked, told)[0]}
