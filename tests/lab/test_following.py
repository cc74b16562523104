"""A connected profile's list follows nodes that are in no container."""

from __future__ import annotations

from support.lab.driver import Driver
from support.lab.laptop import Laptop
from support.lab.server import DEPLOY, Server, wait_until

LIMIT = 6.0  # seconds in which the list has to follow
COMMAND = ["erl", "-noinput", "-sname", "comes", "-setcookie", "SPYLAB-cookie-coming-5f0c"]


def test_nodes_on_the_host_itself_come_and_go(laptop: Laptop, server: Server) -> None:
    with Driver(laptop) as driver:
        driver.send("connect")
        driver.ready()
        guest = server.place.popen(COMMAND, user=DEPLOY.name, cwd=DEPLOY.home, env={"HOME": DEPLOY.home})
        try:
            driver.appears("comes", LIMIT)
        finally:
            guest.close()
        driver.vanishes("comes", LIMIT)
        assert "events host" in running(server)
    wait_until(lambda: "events host" not in running(server), "nothing watches any more", 3)
    assert "sleep 4" not in running(server)


def running(server: Server) -> str:
    return " ".join(server.place.processes().values())
