"""What the command line says of places without a shell: an engine's API, a Kubernetes cluster."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from spyglass.errors import BadInput
from spyglass.profile import EngineHop, Hop, KubernetesHop

_FILES = {"ca": "ca.pem", "certificate": "cert.pem", "key": "key.pem"}  # the names that Docker's command uses


def options(group: Any) -> None:
    """Add the options to a parser or a group of it."""
    group.add_argument(
        "--docker-certs",
        metavar="DIR",
        default="",
        help="for tcp://…: the directory with ca.pem, cert.pem and key.pem, as Docker's DOCKER_CERT_PATH",
    )
    group.add_argument(
        "--plain-api",
        action="store_true",
        help="for tcp://…: agree to go without TLS, though who reaches such a port is root on its host",
    )

    group.add_argument(
        "--kubernetes",
        metavar="NAMESPACE",
        default="",
        help="the pods of this namespace (`all`: of every one) that kubectl there knows",
    )
    group.add_argument(
        "--kube-context", metavar="NAME", default="", help="for --kubernetes: kubectl's context"
    )


def applied(hops: tuple[Hop, ...], given: argparse.Namespace) -> tuple[Hop, ...]:
    """The hops with what was said of the last one. Raises BadInput where that is no engine's API."""
    return _cluster(_api(hops, given), given)


def _cluster(hops: tuple[Hop, ...], given: argparse.Namespace) -> tuple[Hop, ...]:
    if given.kubernetes:
        before = hops[:-1] if hops and isinstance(hops[-1], KubernetesHop) else hops
        return (*before, KubernetesHop(given.kubernetes, given.kube_context))
    if given.kube_context:
        raise BadInput("--kube-context is for a cluster", "Name a namespace with --kubernetes, or `all`.")
    return hops


def _api(hops: tuple[Hop, ...], given: argparse.Namespace) -> tuple[Hop, ...]:
    if not (given.docker_certs or given.plain_api):
        return hops
    last = hops[-1] if hops else None
    if not isinstance(last, EngineHop):
        option = "--docker-certs" if given.docker_certs else "--plain-api"
        raise BadInput(f"{option} is for an engine's API", "Write TARGET as tcp://host:port.")
    changes: dict[str, Any] = {"plain": True} if given.plain_api else {}
    if given.docker_certs:
        changes |= _files(Path(given.docker_certs).expanduser().absolute())
    return (*hops[:-1], msgspec.structs.replace(last, **changes))


def _files(directory: Path) -> dict[str, str]:
    found = {field: str(directory / name) for field, name in _FILES.items() if (directory / name).is_file()}
    if not found:
        raise BadInput(
            f"{directory} holds no certificates",
            "It has to hold ca.pem, and cert.pem with key.pem if asked for.",
        )
    return found
