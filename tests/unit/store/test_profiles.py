"""The directory of profiles: the person's files, never lost, never guessed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import BadInput, Failure, Missing
from spyglass.profile import ContainerHop, Profile, Selector, SSHHop
from spyglass.store.profiles import Profiles, slug, unique_name

FULL = Profile(
    name="Web shop",
    hops=(SSHHop("bastion", "me", 2222, "~/.ssh/id_work"), SSHHop("::1"), ContainerHop("web", "podman")),
    select=Selector(container="shop*", node="shop@*"),
    group="work",
    cookie="keyring",
    autoconnect=True,
    production=True,
)


@pytest.fixture
def profiles(tmp_path: Path) -> Profiles:
    return Profiles(tmp_path / "profiles")


def _write(profiles: Profiles, name: str, text: str) -> Path:
    profiles.directory.mkdir(exist_ok=True)
    path = profiles.directory / name
    path.write_text(text)
    return path


def _names(profiles: Profiles) -> list[str]:
    return [profile.name for profile in profiles.load()[0]]


def test_without_a_directory_there_are_none_and_none_is_made(profiles: Profiles) -> None:
    assert profiles.load() == ([], [])
    assert not profiles.directory.exists()


def test_everything_of_a_profile_is_kept(profiles: Profiles) -> None:
    saved = profiles.add(FULL)

    assert profiles.load() == ([saved], [])
    assert saved == msgspec.structs.replace(FULL, id=saved.id)
    assert len(saved.id) == 32


def test_a_file_is_private_and_named_after_its_profile(profiles: Profiles) -> None:
    profiles.add(FULL)

    path = profiles.directory / "web-shop.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(profiles.directory.stat().st_mode) == 0o700


def test_names_that_make_the_same_file_name_are_counted(profiles: Profiles) -> None:
    for name in ("Web shop", "web-shop", "web_shop"):
        profiles.add(Profile(name))

    assert sorted(path.name for path in profiles.directory.glob("*.toml")) == [
        "web-shop-2.toml",
        "web-shop-3.toml",
        "web-shop.toml",
    ]


@pytest.mark.parametrize(
    ("name", "stem"),
    [("Café №1", "cafe-no1"), ("../../etc/passwd", "etc-passwd"), ("日本", "profile"), ("x" * 99, "x" * 60)],
)
def test_a_file_name_is_plain_whatever_the_name(name: str, stem: str) -> None:
    assert slug(name) == stem


@given(name=st.text(max_size=200))
def test_a_file_name_never_leaves_the_directory(name: str) -> None:
    assert Path(slug(name)).name == slug(name)
    assert slug(slug(name)) == slug(name)


def test_an_id_is_kept_unless_it_is_taken(profiles: Profiles) -> None:
    first = profiles.add(Profile("a", id="a" * 32))
    second = profiles.add(Profile("b", id="a" * 32))

    assert first.id == "a" * 32
    assert second.id != first.id


@pytest.mark.parametrize("verb", ["add", "replace", "rename"])
def test_a_name_is_taken_whatever_its_capitals(verb: str, profiles: Profiles) -> None:
    profiles.add(Profile("Shop"))
    other = profiles.add(Profile("other"))
    tries = {
        "add": lambda: profiles.add(Profile("sHOP")),
        "replace": lambda: profiles.replace(msgspec.structs.replace(other, name="sHOP")),
        "rename": lambda: profiles.rename(other.id, "sHOP"),
    }

    with pytest.raises(BadInput, match="already a profile 'sHOP'"):
        tries[verb]()
    assert _names(profiles) == ["Shop", "other"]


def test_a_profile_may_change_the_capitals_of_its_own_name(profiles: Profiles) -> None:
    saved = profiles.add(Profile("Shop"))
    profiles.rename(saved.id, "SHOP")

    assert _names(profiles) == ["SHOP"]
    assert (profiles.directory / "shop.toml").exists()


def test_what_makes_no_sense_is_not_saved(profiles: Profiles) -> None:
    with pytest.raises(BadInput):
        profiles.add(Profile("x", hops=(SSHHop("-x"),)))

    saved = profiles.add(Profile("x"))
    with pytest.raises(BadInput):
        profiles.replace(msgspec.structs.replace(saved, name=" "))
    assert profiles.load() == ([saved], [])


def test_a_profile_is_found_by_id_and_by_name(profiles: Profiles) -> None:
    saved = profiles.add(Profile("Shop"))

    assert profiles.get(saved.id) == profiles.get("Shop") == profiles.get("shop") == saved
    with pytest.raises(Missing, match="There is no profile 'shops'"):
        profiles.get("shops")


def test_asking_for_a_profile_whose_file_is_broken_tells_what_is_broken(profiles: Profiles) -> None:
    _write(profiles, "shop.toml", "name = ")

    with pytest.raises(BadInput, match=r"shop\.toml, line 1"):
        profiles.get("Shop")


def test_a_changed_profile_stays_in_its_file(profiles: Profiles) -> None:
    saved = profiles.add(Profile("shop"))
    changed = profiles.replace(msgspec.structs.replace(saved, name="store", group="g"))

    assert profiles.load() == ([changed], [])
    assert [path.name for path in profiles.directory.glob("*.toml")] == ["shop.toml"]


def test_a_profile_that_is_gone_is_not_written_again(profiles: Profiles) -> None:
    saved = profiles.add(Profile("shop"))
    profiles.remove(saved.id)

    with pytest.raises(Missing):
        profiles.replace(saved)
    with pytest.raises(Missing):
        profiles.remove(saved.id)
    assert profiles.load() == ([], [])


def test_a_broken_file_stays_byte_for_byte_and_the_others_load(profiles: Profiles) -> None:
    good = profiles.add(Profile("good"))
    bad = _write(profiles, "bad.toml", "name = 'bad'\nport 22\n")
    found, failures = profiles.load()

    assert found == [good]
    assert [type(failure) for failure in failures] == [BadInput]
    assert failures[0].title.startswith("bad.toml, line 2")
    assert bad.read_text() == "name = 'bad'\nport 22\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = 'x'\npasword = 'y'\n", ("odd.toml", "`pasword`")),
        ("name = 'x'\n[[hops]]\nkind = 'ssh'\nhost = 'a'\nport = 'ssh'\n", ("odd.toml", "`port` of hop 1")),
        ("name = 'x'\n[[hops]]\nkind = 'ssh'\nhost = '-oProxyCommand=x'\n", ("odd.toml", "hyphen")),
        ("", ("odd.toml", "`name`")),
    ],
)
def test_a_field_that_is_wrong_is_named_with_its_file(
    text: str, words: tuple[str, ...], profiles: Profiles
) -> None:
    path = _write(profiles, "odd.toml", text)
    found, (failure,) = profiles.load()

    assert not found
    assert all(word in failure.title for word in words)
    assert path.read_text() == text


def test_a_directory_or_a_dead_link_in_a_files_place_is_told(profiles: Profiles) -> None:
    (profiles.directory / "dir.toml").mkdir(parents=True)
    (profiles.directory / "link.toml").symlink_to("nowhere")
    titles = [failure.title for failure in profiles.load()[1]]

    assert "dir.toml cannot be read: Is a directory" in titles[0]
    assert "link.toml cannot be read: No such file" in titles[1]


@pytest.mark.parametrize(
    ("other", "field"),
    [("name = 'b'\nid = '{id}'", "the same `id` as a.toml"), ("name = 'A'", "the same name as a.toml: 'A'")],
)
def test_of_two_files_that_claim_the_same_the_second_is_reported(
    other: str, field: str, profiles: Profiles
) -> None:
    first = profiles.add(Profile("a"))
    _write(profiles, "copy.toml", other.format(id=first.id))
    found, (failure,) = profiles.load()

    assert found == [first]
    assert failure.title == f"copy.toml has {field}"


def test_a_file_without_an_id_has_a_constant_one_and_keeps_it(profiles: Profiles) -> None:
    path = _write(profiles, "mine.toml", "name = 'mine'\n")
    (first,), _ = profiles.load()
    (second,), _ = profiles.load()
    profiles.rename(first.id, "still mine")
    path.rename(path.with_name("moved.toml"))

    assert first.id == second.id == profiles.get("still mine").id


def test_comments_are_kept_aside_when_a_profile_is_changed(profiles: Profiles) -> None:
    text = "# bastion needs the VPN\nname = 'mine'\n"
    _write(profiles, "mine.toml", text)
    profiles.rename(profiles.get("mine").id, "ours")

    assert (profiles.directory / "mine.toml.bak").read_text() == text
    assert _names(profiles) == ["ours"]


def test_edits_by_hand_are_seen_at_the_next_look(profiles: Profiles) -> None:
    profiles.add(Profile("shop"))
    path = profiles.directory / "shop.toml"
    path.write_text(path.read_text().replace("shop", "store"))

    assert _names(profiles) == ["store"]
    path.unlink()
    assert _names(profiles) == []


def test_the_order_is_that_of_adding_until_it_is_arranged(profiles: Profiles) -> None:
    ids = [profiles.add(Profile(name)).id for name in ("b", "c", "a")]
    assert _names(profiles) == ["b", "c", "a"]

    profiles.arrange([ids[2], ids[0], ids[1]])
    assert _names(profiles) == ["a", "b", "c"]


def test_files_that_no_order_knows_come_last_by_name(profiles: Profiles) -> None:
    profiles.add(Profile("z"))
    _write(profiles, "c.toml", "name = 'c'")
    _write(profiles, "b.toml", "name = 'B'")

    assert _names(profiles) == ["z", "B", "c"]


def test_a_spoilt_order_spoils_nothing_else(profiles: Profiles) -> None:
    saved = profiles.add(Profile("a"))
    (profiles.directory / ".order").write_bytes(b"\xff\x00 nonsense\n")

    assert profiles.load() == ([saved], [])


def test_an_export_is_the_file_and_goes_in_elsewhere(profiles: Profiles, tmp_path: Path) -> None:
    saved = profiles.add(FULL)
    profiles.export(saved.id, tmp_path / "for-you.toml")
    other = Profiles(tmp_path / "other")

    assert (tmp_path / "for-you.toml").read_bytes() == (profiles.directory / "web-shop.toml").read_bytes()
    assert other.import_(tmp_path / "for-you.toml") == saved


def test_an_export_replaces_a_file_only_when_told(profiles: Profiles, tmp_path: Path) -> None:
    saved = profiles.add(Profile("a"))
    path = tmp_path / "there"
    path.write_text("precious")

    with pytest.raises(BadInput, match="exists already"):
        profiles.export(saved.id, path)
    assert path.read_text() == "precious"
    profiles.export(saved.id, path, overwrite=True)
    assert "precious" not in path.read_text()


def test_importing_what_is_there_already_gives_a_second_one(profiles: Profiles, tmp_path: Path) -> None:
    saved = profiles.add(Profile("shop"))
    profiles.export(saved.id, tmp_path / "x.toml")
    again = [profiles.import_(tmp_path / "x.toml") for _ in range(2)]

    assert [one.name for one in again] == ["shop (2)", "shop (3)"]
    assert len({saved.id, *(one.id for one in again)}) == 3


def test_importing_what_is_broken_names_the_whole_path(profiles: Profiles, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("nam = 'a'")

    with pytest.raises(BadInput, match=str(tmp_path / "x.toml")):
        profiles.import_(tmp_path / "x.toml")
    with pytest.raises(Failure, match="cannot be read: No such file"):
        profiles.import_(tmp_path / "none.toml")
    assert profiles.load() == ([], [])


@pytest.mark.parametrize(
    ("name", "taken", "result"),
    [
        ("a", [], "a"),
        ("A", ["a"], "A (2)"),
        ("a", ["a", "a (2)"], "a (3)"),
        ("a (2)", ["a (2)"], "a (3)"),
        ("a (2)", ["a"], "a (2)"),
    ],
)
def test_a_taken_name_is_counted_up(name: str, taken: list[str], result: str) -> None:
    assert unique_name(name, taken) == result


APP = Path(__file__).parents[3] / "app"
ADDER = """
import sys
from pathlib import Path
from spyglass.profile import Profile
from spyglass.store.profiles import Profiles
for number in range(15):
    Profiles(Path(sys.argv[1])).add(Profile(f"{'same' if number % 2 else 'Same'} {sys.argv[2]} {number}"))
"""


def test_two_processes_that_write_lose_nothing_of_each_other(profiles: Profiles) -> None:
    adders = [
        subprocess.Popen(
            [sys.executable, "-c", ADDER, str(profiles.directory), who],
            env={**os.environ, "PYTHONPATH": str(APP)},
        )
        for who in ("é", "è")  # the same file names for both
    ]

    assert [adder.wait(60) for adder in adders] == [0, 0]
    found, failures = profiles.load()
    assert not failures
    assert len({profile.name for profile in found}) == 30
