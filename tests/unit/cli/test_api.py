"""``--docker-certs``, ``--plain-api`` and ``--kubernetes``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from spyglass.cli import api
from spyglass.errors import BadInput
from spyglass.profile import EngineHop, KubernetesHop, SSHHop

HOP = EngineHop("tcp://10.0.0.5:2376")


def given(certs: str = "", *, plain: bool = False, kubernetes: str = "", context: str = "") -> Namespace:
    return Namespace(docker_certs=certs, plain_api=plain, kubernetes=kubernetes, kube_context=context)


def test_the_files_are_those_of_docker_s_own_directory(tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    hop = api.applied((SSHHop("bastion"), HOP), given(str(tmp_path)))[-1]
    assert hop == EngineHop(HOP.url, f"{tmp_path}/ca.pem", f"{tmp_path}/cert.pem", f"{tmp_path}/key.pem")
    assert api.applied((HOP,), given(plain=True))[0] == EngineHop(HOP.url, plain=True)
    assert api.applied((HOP,), given()) == (HOP,)


def test_a_directory_without_them_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no certificates"):
        api.applied((HOP,), given(str(tmp_path)))


@pytest.mark.parametrize("hops", [(), (SSHHop("web"),)])
def test_they_are_for_an_engine_s_api_only(hops: tuple[SSHHop, ...]) -> None:
    with pytest.raises(BadInput, match="--plain-api is for an engine's API"):
        api.applied(hops, given(plain=True))


def test_a_cluster_is_the_last_step_of_the_way() -> None:
    way = api.applied((SSHHop("bastion"),), given(kubernetes="web", context="prod"))
    assert way == (SSHHop("bastion"), KubernetesHop("web", "prod"))
    assert api.applied(way, given(kubernetes="db")) == (SSHHop("bastion"), KubernetesHop("db"))


def test_a_context_without_a_namespace_is_refused() -> None:
    with pytest.raises(BadInput, match="--kube-context is for a cluster"):
        api.applied((), given(context="prod"))
