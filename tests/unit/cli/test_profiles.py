from pathlib import Path
from typing import Any

import pytest

from spyglass import cli
from spyglass.cli import entry
from spyglass.profile import Observing
from spyglass.store import paths
from spyglass.store.profiles import Profiles


@pytest.fixture(autouse=True)
def own_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "_current", paths.under(tmp_path))
    monkeypatch.setattr(entry.signal, "signal", lambda *_a: None)
    return tmp_path


def run(*words: str) -> int:
    return cli.main(["profiles", *words])


def saved() -> list[Any]:
    return Profiles(paths.current().profiles).load()[0]


def test_add_keeps_the_way_and_the_pattern() -> None:
    assert (
        run("add", "Shop", "deploy@prod:2222", "--jump", "bastion", "--container", "web*", "--production")
        == 0
    )
    profile = saved()[0]
    assert profile.route == "bastion › deploy@prod:2222 › web*"
    assert profile.production


def test_edit_changes_only_what_is_named() -> None:
    run("add", "Shop", "deploy@prod", "--group", "live")
    assert run("edit", "Shop", "--rename", "Shop EU", "--no-autoconnect") == 0
    assert (saved()[0].name, saved()[0].group) == ("Shop EU", "live")


def test_export_and_import_give_the_same_profile_a_new_name(tmp_path: Path) -> None:
    run("add", "Shop", "deploy@prod")
    assert run("export", "Shop", str(tmp_path / "shop.toml")) == 0
    assert run("import", str(tmp_path / "shop.toml")) == 0
    assert [p.name for p in saved()] == ["Shop", "Shop (2)"]
    assert saved()[0].hops == saved()[1].hops


def test_remove(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spyglass.store.secrets.choose", lambda: (None, "none here"))
    run("add", "Shop", "deploy@prod")
    assert run("remove", "Shop") == 0
    assert saved() == []


def test_show_prints_what_is_saved(capsys: Any) -> None:
    run("add", "Shop", "deploy@prod")
    assert run("show", "Shop") == 0
    assert 'host = "prod"' in capsys.readouterr().out


def test_a_broken_file_is_named_with_its_field_and_kept(capsys: Any) -> None:
    run("add", "Good", "prod")
    bad = paths.current().profiles / "bad.toml"
    bad.write_text('name = "Bad"\ncolour = "red"\n')
    assert run("list") == 1
    told = capsys.readouterr()
    assert "Good" in told.out
    assert "bad.toml" in told.err
    assert "colour" in told.err
    assert bad.read_text() == 'name = "Bad"\ncolour = "red"\n'


def test_a_broken_profile_as_a_target_says_what_is_broken(capsys: Any) -> None:
    directory = paths.current().profiles
    directory.mkdir(parents=True)
    (directory / "bad.toml").write_text('name = "bad"\n[[hops]]\nkind = "ssh"\nhost = "x"\nport = "no"\n')
    assert cli.main(["nodes", "bad", "--batch"]) == 1
    err = capsys.readouterr().err
    assert "bad.toml" in err
    assert "port" in err


def test_a_profile_that_does_not_exist(capsys: Any) -> None:
    assert run("show", "Nowhere") == 1
    assert "Nowhere" in capsys.readouterr().err


def test_how_observer_opens_is_a_matter_of_the_profile() -> None:
    assert run("add", "shop", "prod", "--observe", "--lend", "never") == 0
    assert run("edit", "shop", "--lend", "always") == 0
    assert saved()[0].observer == Observing(open=True, lend="always")
    assert run("edit", "shop", "--no-observe") == 0
    assert saved()[0].observer == Observing(lend="always")
