"""Rancher's metadata service: the addresses of a service's containers, on whichever hosts they run.

``GET /latest/containers`` with ``Accept: application/json`` gives a list of objects, among whose
fields are ``stack_name``, ``service_name``, ``primary_ip`` and ``ips`` (Rancher 1.x, "Metadata
service in Rancher"). It is asked from a place that can resolve and reach it.
"""

from __future__ import annotations

import functools
import json
from fnmatch import fnmatchcase
from typing import Any

from spyglass import asset
from spyglass.erlang import naming
from spyglass.erlang.naming import plain
from spyglass.erlang.reader import Ended, Reader
from spyglass.errors import Failure
from spyglass.remote.base import Remote
from spyglass.remote.container import Container

HOST = "rancher-metadata.rancher.internal"
_PATH = "/latest/containers"
_MOST = 4 * 1024 * 1024  # bytes: thousands of containers
_SECONDS = 5.0


def from_host(place: Remote, wanted: str, host: str = HOST) -> frozenset[str]:
    """The addresses of ``STACK/SERVICE``, asked through the place. Raises a Failure."""
    stream = place.dial(host, 80, 3.0)
    try:
        reader = Reader(stream, _SECONDS)
        reader.send(
            f"GET {_PATH} HTTP/1.0\r\nHost: {HOST}\r\nAccept: application/json\r\n\r\n".encode("ascii")
        )
        head, _, body = reader.everything(_MOST).partition(b"\r\n\r\n")
    except (TimeoutError, Ended) as fault:
        raise _silent(place) from fault
    finally:
        stream.close()
    if b" 200" not in head.split(b"\r\n", 1)[0]:
        raise _silent(place)
    return read(body, wanted, place)


def from_inside(container: Container, wanted: str) -> frozenset[str]:
    """The same, asked inside a container by the tool that it has.

    Without one that works, its name for the service is what counts: the engine's host dials the address.
    """
    line = f"url=http://{HOST}{_PATH}\n".encode()
    output = container.run(["sh", "-s"], line + _script(), _SECONDS + 3)
    if output.stdout:
        return read(output.stdout[:_MOST], wanted, container)
    for address in sorted(naming.addresses(container, HOST)):
        return from_host(container.inner, wanted, address)
    raise _silent(container)


@functools.cache
def _script() -> bytes:
    return asset("discovery/fetch.sh").read_bytes()


def read(body: bytes, wanted: str, place: Remote) -> frozenset[str]:
    """The addresses in the service's answer. Raises a Failure when it is none."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise _silent(place) from fault
    if not isinstance(told, list):
        raise _silent(place)
    return frozenset(
        address
        for each in told
        if isinstance(each, dict) and _is_meant(each, wanted)
        for address in map(plain, _ips(each))
        if address
    )


def _is_meant(each: dict[str, Any], wanted: str) -> bool:
    service, stack = str(each.get("service_name") or ""), str(each.get("stack_name") or "")
    name = f"{stack}/{service}" if "/" in wanted else service
    return bool(service) and fnmatchcase(name.lower(), wanted.lower())


def _ips(each: dict[str, Any]) -> list[str]:
    more = each.get("ips")
    return [str(ip) for ip in (each.get("primary_ip"), *(more if isinstance(more, list) else ())) if ip]


def _silent(place: Remote) -> Failure:
    return Failure(
        f"Rancher's metadata service does not answer {place.describe()}",
        f"It is at http://{HOST}/latest/ for containers of a stack: name one with --ask-in.",
        code="no-metadata",
    )
