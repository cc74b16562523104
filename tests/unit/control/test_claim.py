import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spyglass.control import claim
from spyglass.errors import Failure


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def take(directory: Path) -> Iterator[Callable[[], claim.Claim | None]]:
    made: list[claim.Claim] = []

    def one() -> claim.Claim | None:
        found = claim.claim(directory)
        made.extend([found] if found else [])
        return found

    yield one
    for each in made:
        each.close()


def test_only_one_can_have_it(directory: Path, take: Callable[[], claim.Claim | None]) -> None:
    assert not claim.held(directory)
    first = take()
    assert first is not None
    assert take() is None
    assert claim.held(directory)
    first.close()
    assert not claim.held(directory)
    assert take() is not None


def test_the_socket_listens_at_once_for_this_person_only(
    directory: Path, take: Callable[[], claim.Claim | None]
) -> None:
    take()
    assert (directory / claim.SOCKET).stat().st_mode & 0o777 == 0o600
    claim.dial(directory, 1).close()


def test_a_stale_socket_is_replaced(directory: Path, take: Callable[[], claim.Claim | None]) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(directory / claim.SOCKET))
    take()
    claim.dial(directory, 1).close()


def test_closing_leaves_no_socket(directory: Path, take: Callable[[], claim.Claim | None]) -> None:
    first = take()
    assert first is not None
    first.close()
    first.close()
    assert sorted(path.name for path in directory.iterdir()) == [claim.LOCK]
    with pytest.raises(OSError, match="No such file"):
        claim.dial(directory, 1)


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 20) / ("longer" * 20)
    deep.mkdir(parents=True)
    assert len(os.fsencode(deep)) > 200
    made = claim.claim(deep)
    assert made is not None
    claim.dial(deep, 1).close()
    made.close()


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="nowhere can't be used: No such file"):
        claim.claim(tmp_path / "nowhere")


def test_a_socket_that_cannot_be_made_gives_the_lock_back(directory: Path) -> None:
    (directory / claim.SOCKET).mkdir()
    with pytest.raises(Failure, match="can't be used"):
        claim.claim(directory)
    assert not claim.held(directory)
