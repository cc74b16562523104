import threading
from types import SimpleNamespace
from typing import Any

from spyglass.messages import LinkLost, Measured
from spyglass.profile import ContainerHop, SSHHop
from spyglass.remote.base import Stop
from spyglass.signs import Signs

HOPS = (SSHHop(host="a"), SSHHop(host="b"), ContainerHop(name="web"))


def server(name: str, latency: float | None) -> Any:
    return SimpleNamespace(describe=lambda: name, latency=lambda _timeout: latency)


def signs(*latencies: float | None, stop: Stop | None = None) -> tuple[Signs, list[Any]]:
    """A jump host, two servers and a container."""
    said: list[Any] = []
    servers = [server(name, latency) for name, latency in zip(("jump", "a", "b"), latencies, strict=True)]
    remotes = [SimpleNamespace(), *servers, SimpleNamespace()]
    return Signs(remotes, HOPS, stop or Stop(), said.append), said


def test_each_server_of_a_hop_is_measured_and_jump_hosts_are_not() -> None:
    made, said = signs(0.1, 0.2, 0.3)
    made.measure()
    made.join(5)
    assert said == [Measured(1, 0.2), Measured(2, 0.3)]


def test_a_server_without_an_answer_is_no_measure() -> None:
    made, said = signs(0.1, None, 0.3)
    made.measure()
    made.join(5)
    assert said == [Measured(2, 0.3)]


def test_the_first_server_that_gives_no_sign_is_the_lost_one() -> None:
    made, said = signs(0.1, 0.2, None)
    made.probe()
    made.join(5)
    [lost] = said
    assert isinstance(lost, LinkLost)
    assert (lost.hop, lost.failure.title) == (2, "The connection to b is lost: no answer")


def test_a_silent_jump_host_counts_as_the_first_hop() -> None:
    made, said = signs(None, 0.2, 0.3)
    made.probe()
    made.join(5)
    assert [report.hop for report in said] == [1]


def test_nothing_is_reported_after_the_stop() -> None:
    stop = Stop()
    stop.set()
    made, said = signs(0.1, None, 0.3, stop=stop)
    made.probe()
    made.join(5)
    assert said == []


def test_a_way_without_servers_starts_no_thread() -> None:
    before = threading.active_count()
    made = Signs([SimpleNamespace()], (), Stop(), lambda _report: None)  # type: ignore[list-item]
    made.measure()
    assert threading.active_count() == before
