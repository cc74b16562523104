"""A hub without connections: scripted statuses, and a list of what was asked of it."""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from spyglass.errors import BadInput, Failure
from spyglass.figures import Reading, Readings
from spyglass.profile import ContainerHop, Profile, Selector, SSHHop, check
from spyglass.status import Cookie, Link, NodeInfo, Phase, Problem, Status
from spyglass.store import document

NOW = 1_764_000_000.0
"""The moment at which the scripted statuses are true (seconds since the epoch)."""


class FakeHub:
    """The same API as ``spyglass.hub.Hub``; nothing happens but what a test publishes."""

    def __init__(
        self, profiles: list[Profile] | None = None, statuses: dict[str, Status] | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._profiles = {p.id: p for p in profiles or []}
        self._statuses = dict(statuses or {})
        self._unsaved: dict[str, Profile] = {}
        self.faults: list[Failure] = []
        self._listeners: list[Callable[[Status], None]] = []
        self.calls: list[tuple[Any, ...]] = []
        self.closed = False
        self.watchers: dict[str, Callable[[Readings], None]] = {}

    def arrange(self, profile_ids: list[str]) -> None:
        self._profiles = {key: self._profiles[key] for key in profile_ids}
        self.calls.append(("arrange", tuple(profile_ids)))

    def watch_stats(self, profile_id: str, listener: Callable[[Readings], None]) -> Callable[[], None]:
        self.watchers[profile_id] = listener
        return lambda: self.watchers.pop(profile_id, None) and None

    def measure(self, profile_id: str, readings: Readings) -> None:
        """As the figures' thread does, if somebody watches."""
        if profile_id in self.watchers:
            self.watchers[profile_id](readings)

    def publish(self, status: Status) -> None:
        """As a connection does, from whatever thread calls."""
        with self._lock:
            self._statuses[status.profile_id] = status
            listeners = list(self._listeners)
        for listener in listeners:
            listener(status)

    def profiles(self) -> list[Profile]:
        return [*self._profiles.values(), *self._unsaved.values()]

    def read(self) -> tuple[list[Profile], list[Failure]]:
        return self.profiles(), list(self.faults)

    def add(self, profile: Profile) -> Profile:
        check(profile)
        if any(p.name == profile.name for p in self._profiles.values()):
            raise BadInput(f"There is a profile {profile.name} already", "Choose another name.")
        self._unsaved.pop(profile.id, None)
        made = msgspec.structs.replace(profile, id=profile.id or uuid.uuid4().hex)
        self._profiles[made.id] = made
        self.calls.append(("add", made))
        return made

    def replace(self, profile: Profile) -> Profile:
        self._profiles[profile.id] = check(profile)
        self.calls.append(("replace", profile))
        return profile

    def export(self, profile_id: str, path: Path) -> None:
        path.write_bytes(document.dump(self._profiles[profile_id]))

    def import_(self, path: Path) -> Profile:
        found = document.shape(document.table(path.read_bytes(), path.name), Profile, path.name)
        return self.add(msgspec.structs.replace(found, id=""))

    def erl(self) -> str:
        return ""

    def apart(self) -> Any:
        raise NotImplementedError

    def remove(self, profile_id: str) -> None:
        if self._unsaved.pop(profile_id, None) is None:
            del self._profiles[profile_id]
        self.calls.append(("remove", profile_id))

    def status(self, profile_id: str) -> Status:
        with self._lock:
            return self._statuses.get(profile_id) or Status(profile_id)

    def statuses(self) -> list[Status]:
        with self._lock:
            return list(self._statuses.values())

    def subscribe(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        with self._lock:
            self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def connect(self, profile: Profile | str, *, unattended: bool = False) -> None:
        if isinstance(profile, Profile) and profile.id not in self._profiles:
            self._unsaved[profile.id] = profile
        self.calls.append(("begin" if unattended else "connect", profile))

    def disconnect(self, profile_id: str) -> None:
        self.calls.append(("disconnect", profile_id))

    def retry(self, profile_id: str) -> None:
        self.calls.append(("retry", profile_id))

    def refresh(self, profile_id: str) -> None:
        self.calls.append(("refresh", profile_id))

    def observe(self, profile_id: str, node: str, *, company: bool = False) -> None:
        self.calls.append(("observe", profile_id, node, *(["company"] if company else [])))

    def close_window(self, profile_id: str, key: str) -> None:
        self.calls.append(("close_window", profile_id, key))

    def close(self) -> None:
        self.closed = True


def profile_id(number: int) -> str:
    """A readable id: 32 hexadecimal digits."""
    return f"{number:032x}"


def _profile(
    number: int, name: str, group: str, *hops: SSHHop | ContainerHop, container: str = "", **more: Any
) -> Profile:
    return Profile(
        name=name, id=profile_id(number), group=group, hops=hops, select=Selector(container=container), **more
    )


SHOP = _profile(1, "Shop EU", "Production", SSHHop("prod-eu", "deploy"), container="web", production=True)
BILLING = _profile(
    2, "Billing", "Production", SSHHop("bastion"), SSHHop("10.0.3.7"), container="billing", production=True
)
STAGING = _profile(3, "Shop staging", "Staging", SSHHop("stage", "deploy"), container="service web")
RANCHER = _profile(4, "Rancher hello", "Staging", SSHHop("host1", "core"), container="my-hello-service")
LONG = _profile(
    5,
    "Load test of the whole checkout with a rather long name",
    "Staging",
    SSHHop("lt-worker-017.eu-central-1.compute.internal.example.org", "root", 2222),
    container="loadtest_checkout_worker_17_of_64",
)
LOCAL = _profile(6, "Local containers", "This computer")
PROFILES = [SHOP, BILLING, STAGING, RANCHER, LONG, LOCAL]


def node(
    name: str, container: str | None = None, *, otp: str = "26", source: str = "RELEASE_COOKIE", **more: Any
) -> NodeInfo:
    """A node as discovery would find it."""
    host = name.rpartition("@")[2]
    values: dict[str, Any] = {
        "key": f"{container or 'host'}/{name}", "node": name, "reachable": True, "container": container,
        "name_type": "long" if "." in host else "short",
        "image": f"{container}:1.42.0" if container else None,
        "address": host, "port": 45011, "via": "epmd", "otp": otp, "cookie": Cookie(True, source, True),
    }  # fmt: skip
    return NodeInfo(**(values | more))


THREE = (
    node("shop@172.17.0.4", "web", forward=40117),
    node("shop@172.17.0.5", "web-2", forward=40118),
    node("jobs@172.17.0.9", "jobs", source="vm.args", forward=40119),
)


def connected(profile: Profile = SHOP, nodes: tuple[NodeInfo, ...] = THREE) -> Status:
    """Connected; Observer is open on the first node."""
    chain = (
        Link("This computer", "ok", "OTP 27, wx 3.2"),
        Link("prod-eu", "ok", "deploy · ed25519 · 42 ms"),
        Link("Docker", "ok", f"14 containers, {len(nodes)} match"),
        Link("web", "ok", "shop:1.42.0 · 172.17.0.4"),
        Link("shop@172.17.0.4", "ok", "OTP 26 · hidden, no mesh"),
    )
    return Status(
        profile.id, Phase.READY, chain=chain, nodes=nodes, observing=frozenset(n.key for n in nodes[:1]),
        warnings=("2 containers have no Erlang",), since=NOW - 8040, surveyed=True,
    )  # fmt: skip


def readings(beat: int = 0, nodes: tuple[NodeInfo, ...] = THREE) -> dict[str, Reading]:
    """The live figures of these nodes at one beat; they swing a little, each in its own way."""
    made = {}
    for number, each in enumerate(nodes):
        swing = math.sin(beat * 0.31 + number * 1.7) + 0.4 * math.sin(beat * 0.93 + number)
        made[each.key] = Reading(
            when=beat * 2.0,
            memory=int((212 - 40 * (number % 4) + 3 * swing) * 2**20),
            processes=int(1284 + 17 * number + 25 * swing),
            run_queue=max(0, int(swing)),
            schedulers=4,
            uptime=8040.0 + 2 * beat + 86_400 * (number % 9),
            cpu=100.0 + beat,
            load=0.12,
        )
    return made


def refused() -> Status:
    """Connected, with a node that does not take our cookie and one that is not reachable."""
    more = (
        node("audit@172.17.0.11", "audit", source="-setcookie", reachable=False, why_not="cookie refused",
             cookie=Cookie(True, "-setcookie", False)),
        node("old@old-box", None, otp="18", source=".erlang.cookie", reachable=False,
             why_not="speaks TLS, and no certificate is known"),
    )  # fmt: skip
    return connected(nodes=THREE + more)


def changed_key(profile: Profile = BILLING) -> Status:
    """Stopped: the second hop shows another host key."""
    chain = (
        Link("This computer", "ok", "OTP 27, wx 3.2"),
        Link("bastion", "ok", "ops · agent key · 18 ms"),
        Link("10.0.3.7", "bad", "host key changed", ("10.0.3.7 shows another key", "Ask its owner.")),
    )
    hint = (
        "Trusted: SHA256:q0x3Jd8mPz5w1yVhXb7kRt2sLfNc9gUe4aQoZiT6Hn8 (ed25519) "
        "· line 41 of ~/.ssh/known_hosts\n"
        "Shown now: SHA256:Zk2pW8vYt4qNs6rBx1mLd9hJc3gFe7aUoViT5QzR1Yc (ed25519)\n"
        "Someone may be between you and the server, or it was installed anew. Ask its owner. "
        "If the new key is right, remove line 41 and try again."
    )
    problem = Problem("10.0.3.7 shows another key than the one you trust", hint, "host-key")
    return Status(profile.id, Phase.FAILED, chain=chain, problem=problem, since=NOW - 20)


def troubled() -> Status:
    """Connected; Observer did not open on one node."""
    problem = Problem(
        "jobs@172.17.0.9 has no observer_backend, and is older than the Erlang here",
        "Add `runtime_tools` to its release, or choose an Erlang of OTP 26 or older in the settings.",
        "no-backend",
    )
    return msgspec.structs.replace(connected(), troubles={THREE[2].key: problem})


def connecting(profile: Profile = STAGING) -> Status:
    """On the way to the server."""
    chain = (
        Link("This computer", "ok", "OTP 27, wx 3.2"),
        Link("stage", "busy", "asking the agent"),
    )
    return Status(profile.id, Phase.CONNECTING, "Opening stage", chain, since=NOW - 2)


def waiting(profile: Profile = RANCHER) -> Status:
    """Lost, and trying again soon."""
    chain = (
        Link("This computer", "ok", "OTP 27, wx 3.2"),
        Link("host1", "bad", "no answer for 9 s"),
    )
    problem = Problem(
        "host1 does not answer any more",
        "Spyglass tries again by itself. Check the network or the VPN.",
        "lost",
        True,
    )
    return Status(
        profile.id, Phase.WAITING, chain=chain, problem=problem, attempt=2, next_try=NOW + 12, since=NOW
    )


def nothing_found(profile: Profile = LOCAL) -> Status:
    """Connected, and no node there."""
    chain = (
        Link("This computer", "ok", "OTP 27, wx 3.2"),
        Link("Docker", "warn", "4 containers, none with nodes"),
        Link("No node", "warn", "none was found"),
    )
    return Status(
        profile.id,
        Phase.READY,
        chain=chain,
        since=NOW - 100,
        warnings=("4 containers have no Erlang", "no epmd on this computer"),
        surveyed=True,
    )


def crowd(number: int = 200, profile: Profile = SHOP) -> Status:
    """Very many nodes."""
    nodes = tuple(
        node(
            f"worker_{n:03}@10.42.{n // 50}.{n % 50 + 2}",
            f"farm_worker_{n}",
            otp=str(24 + n % 5),
            forward=41000 + n,
        )
        for n in range(number)
    )
    return connected(profile, nodes)


def long_names(profile: Profile = LONG) -> Status:
    """Names as long as orchestrators make them."""
    pod = "checkout-worker-7f9c4d5b68-xk2lp.checkout-worker.production.svc.cluster.local"
    nodes = tuple(
        node(f"checkout_worker_{n}@{pod}", f"k8s_checkout-worker_checkout-7f9c4d5b68-xk2lp_{n}",
             image="registry.example.org/shop/checkout-worker:2026.11.24-7f9c4d5b", forward=42000 + n)
        for n in range(4)
    )  # fmt: skip
    chain = (
        Link("This computer", "ok", "OTP 27, wx 3.2"),
        Link(
            "bastion-eu-central-1a.compute.internal.example.org",
            "ok",
            "deploy-with-a-long-user · agent ed25519 · 18 ms",
        ),
        Link(profile.hops[0].label, "ok", "root · key ~/.ssh/keys/load-test/id_ed25519 · 31 ms"),
        Link("Docker", "ok", "64 containers, 4 match"),
        Link(
            "loadtest_checkout_worker_17_of_64",
            "ok",
            "registry.internal.example.org/shop/checkout-worker:2026",
        ),
        Link(nodes[0].node, "ok", "OTP 26 · hidden, no mesh"),
    )
    return Status(profile.id, Phase.READY, chain=chain, nodes=nodes, since=NOW - 400, surveyed=True)


def scene() -> FakeHub:
    """The hub of the drawings."""
    shown = [connected(), changed_key(), connecting(), waiting(), long_names(), nothing_found()]
    return FakeHub(list(PROFILES), {s.profile_id: s for s in shown})
