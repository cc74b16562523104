"""The pods of a Kubernetes cluster, as ``kubectl`` tells of them and gets into them.

Each running container of a pod is a container as any other. ``kubectl get pods -o json`` gives a
``PodList`` ("Pod v1 core" in the Kubernetes API Reference); what is of another type there is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spyglass.errors import Denied, Failure, Missing, Unreachable
from spyglass.kubernetes import ALL, KubernetesHop
from spyglass.remote.command_line import CommandLine
from spyglass.remote.shapes import identity, mapping, printable, sequence

if TYPE_CHECKING:
    from spyglass.remote.base import Output, Piped, Remote

_SECONDS = 20.0
_LIMIT = ("--request-timeout=8s",)
_MOST = 32 * 1024 * 1024  # bytes of the list: some ten thousand pods


@dataclass(frozen=True, slots=True)
class Home:
    """Where a container lives."""

    namespace: str
    pod: str
    container: str


class Pods:
    """What kubectl at ``place`` tells of a cluster; an :class:`~spyglass.remote.command_line.Engine`."""

    name = "kubernetes"
    rootless = False
    distant = True
    here = "127.0.0.1"

    def __init__(self, place: Remote, hop: KubernetesHop) -> None:
        self._place, self._hop = place, hop
        self._homes: dict[str, Home] = {}
        self._addresses: dict[str, Home] = {}
        self._told: dict[str, str] = {}
        self._fresh = False

    def __repr__(self) -> str:
        return f"<Pods {self._hop.label}>"

    def words(self, *words: str) -> list[str]:
        """A command line of kubectl's."""
        context = [f"--context={self._hop.context}"] if self._hop.context else []
        return CommandLine("kubectl").words(*context, *words)

    def refresh(self) -> None:
        """Ask for the running pods. Raises Missing, Denied, Unreachable or another Failure."""
        which = ["--all-namespaces"] if self._hop.namespace == ALL else [f"--namespace={self._hop.namespace}"]
        running = "--field-selector=status.phase=Running"
        command = self.words("get", "pods", *which, running, "--output=json", *_LIMIT)
        output = self._place.run(command, timeout=_SECONDS)
        if output.status:
            raise _refusal(output, self._place.describe(), self._hop)
        homes: dict[str, Home] = {}
        addresses: dict[str, Home] = {}
        words: dict[str, str] = {}
        for home, told in _containers(_items(output.stdout[:_MOST])):
            homes[told["Id"]], words[told["Id"]] = home, json.dumps(told)
            addresses |= dict.fromkeys(told["Networks"][home.namespace]["Addresses"], home)
        self._homes, self._addresses, self._told, self._fresh = homes, addresses, words, True  # others read

    def ids(self) -> list[str]:
        """The ids of the running containers. The answer that opened the place serves the first look."""
        if not self._fresh:
            self.refresh()
        self._fresh = False
        return list(self._told)

    def inspect(self, name: str) -> str | None:
        """One container as JSON on one line; None when there is none of that name or id."""
        if not self._told:
            self.refresh()
        fitting = (i for i, h in self._homes.items() if name in {i, h.pod, f"{h.pod}/{h.container}"})
        return self._told.get(next(fitting, ""))

    def at(self, address: str) -> Home | None:
        """Whose address it is."""
        return self._addresses.get(address)

    def events(self) -> None:
        """A kubectl that watches would outlive the connection, so somebody has to ask."""

    def processes(self, container: str) -> None:
        """Kubernetes tells of no processes."""

    def execute(
        self,
        host: Remote,
        container: str,
        argv: Sequence[str],
        stdin: bytes | None,
        user: str,
        timeout: float,
    ) -> Output:
        """``kubectl exec``; as whom is the container's own business."""
        options = ["--stdin"] * (stdin is not None)
        return self._place.run(self._exec(container, argv, options), stdin, timeout)

    def attach(self, host: Remote, container: str, argv: Sequence[str], user: str, timeout: float) -> Piped:
        """``kubectl exec --stdin``."""
        return self._place.pipe(self._exec(container, argv, ["--stdin"]), timeout)

    def archive(self, host: Remote, container: str, path: str) -> bytes | None:
        """A tar archive of a file, where the container has tar."""
        output = self._place.run(self._exec(container, ["tar", "cf", "-", "--", path], []))
        return output.stdout if output.status == 0 else None

    def _exec(self, container: str, argv: Sequence[str], options: Sequence[str]) -> list[str]:
        home = self._homes.get(container)
        if home is None:
            raise Unreachable("The container is gone", "See whether its pod runs; refresh the list.")
        named = [f"--namespace={home.namespace}", home.pod, f"--container={home.container}"]
        return self.words("exec", *options, *named, "--", *argv)

    def forward(self, home: Home, port: int, timeout: float) -> Piped:
        """``kubectl port-forward`` to a port of the pod; its first line tells the port at the place."""
        named = [f"--namespace={home.namespace}", f"pod/{home.pod}", f":{port}"]
        return self._place.pipe(self.words("port-forward", "--address=127.0.0.1", *named), timeout)


def _items(text: bytes) -> list[Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise Failure("kubectl gave no list of pods", "See `kubectl get pods -o json` there.") from None
    return sequence(mapping(told).get("items"))


def _containers(items: list[Any]) -> Iterator[tuple[Home, dict[str, Any]]]:
    """Each running container in the short form of the survey, which :mod:`spyglass.remote.engine` reads."""
    for item in items:
        about, spec, status = (mapping(mapping(item).get(name)) for name in ("metadata", "spec", "status"))
        namespace, pod = about.get("namespace"), about.get("name")
        if not (isinstance(namespace, str) and isinstance(pod, str) and _is_name(pod)):
            continue
        running = [one for one in map(mapping, sequence(status.get("containerStatuses"))) if _is_running(one)]
        first = ""
        for one in running:
            home, its = Home(namespace, pod, str(one.get("name"))), _identity(one)
            name = pod if len(running) == 1 else f"{pod}/{home.container}"
            about_it = next(
                (
                    c
                    for c in map(mapping, sequence(spec.get("containers")))
                    if c.get("name") == home.container
                ),
                {},
            )
            yield (
                home,
                {
                    "Id": its,
                    "Pid": 1,
                    "Name": name,
                    "Image": about_it.get("image", one.get("image")),
                    "Hostname": pod,
                    "Labels": mapping(about.get("labels")),
                    "Mode": f"container:{first}" if first else "",
                    "Networks": {namespace: _network(status)},
                    "Env": [
                        f"{e['name']}={e['value']}"
                        for e in map(mapping, sequence(about_it.get("env")))
                        if "value" in e
                    ],
                },
            )
            first = first or its


def _network(status: dict[str, Any]) -> dict[str, Any]:
    told = [mapping(one).get("ip") for one in sequence(status.get("podIPs"))] or [status.get("podIP")]
    addresses = [each for each in told if isinstance(each, str) and each]
    four = next((a for a in addresses if ":" not in a), "")
    six = next((a for a in addresses if ":" in a), "")
    return {"IPAddress": four, "GlobalIPv6Address": six, "Addresses": addresses}


def _is_running(status: dict[str, Any]) -> bool:
    return (
        "running" in mapping(status.get("state")) and bool(_identity(status)) and _is_name(status.get("name"))
    )


def _identity(status: dict[str, Any]) -> str:
    """The hexadecimal part of ``containerd://ID``."""
    return identity(str(status.get("containerID")).rpartition("//")[2])


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and bool(name) and not name.startswith("-") and name.isprintable()


def _refusal(output: Output, where: str, hop: KubernetesHop) -> Failure:
    text = output.stderr.decode("utf-8", "replace").strip()
    if output.status == 127:
        return Missing(
            f"There is no kubectl on {where}", "Install it there, or go by way of a host that has it."
        )
    if "forbidden" in text.lower():
        return Denied(
            f"The cluster does not let us list the pods of {hop.namespace}",
            "Name a namespace whose pods your account may list: --kubernetes NAMESPACE.",
            code="kubernetes-denied",
        )
    if "unable to connect" in text.lower() or "refused" in text.lower() or "timeout" in text.lower():
        return Unreachable(f"The cluster does not answer kubectl on {where}", _last(text))
    return Failure(f"kubectl on {where} failed", _last(text), code="kubernetes")


def _last(text: str) -> str:
    line = text.splitlines()[-1] if text else "It gave no reason."
    return printable(line)
