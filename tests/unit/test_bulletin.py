import pytest

from spyglass.bulletin import Bulletin
from spyglass.errors import Lost
from spyglass.status import Phase, Status

pytestmark = pytest.mark.warns("troubles are logged, on purpose")


@pytest.fixture
def told() -> list[Status]:
    return []


@pytest.fixture
def bulletin(told: list[Status]) -> Bulletin:
    return Bulletin(Status("0" * 32), told.append)


def test_each_change_is_told_once(bulletin: Bulletin, told: list[Status]) -> None:
    bulletin.show(phase=Phase.CONNECTING, doing="Connecting")
    bulletin.show(doing="Connecting")
    assert [(s.phase, s.doing) for s in told] == [(Phase.CONNECTING, "Connecting")]
    assert bulletin.status is told[-1]


def test_a_phase_that_may_not_follow_is_a_defect(bulletin: Bulletin, told: list[Status]) -> None:
    with pytest.raises(ValueError, match="offline cannot become ready"):
        bulletin.show(phase=Phase.READY)
    assert told == []


def test_troubles_come_and_go_by_node(bulletin: Bulletin) -> None:
    bulletin.trouble("a", Lost("a is gone", "Wait."))
    bulletin.trouble("b", Lost("b is gone"))
    bulletin.clear("a", "c")
    assert {key: problem.title for key, problem in bulletin.status.troubles.items()} == {"b": "b is gone"}
