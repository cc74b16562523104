from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import Failure
from spyglass.remote import hostkeys
from spyglass.remote.hostkeys import Changed, Known, Revoked, Unknown, Verdict
from spyglass.remote.sshwire import string
from support.sshd_auth import keygen, new_key, sign

needs_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="compares with ssh-keygen")
ED, RSA = "ssh-ed25519", "ssh-rsa"


def blob(kind: str, content: str) -> bytes:
    return string(kind) + string(content)


def entry(hosts: str, key: bytes, marker: str = "", comment: str = "") -> str:
    kind = key[4 : 4 + key[3]].decode()
    return f"{marker} {hosts} {kind} {base64.b64encode(key).decode()} {comment}".strip() + "\n"


OLD, NEW, OTHER = blob(ED, "old"), blob(ED, "new"), blob(RSA, "other")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ssh" / "known_hosts"


def check(file: Path, text: str, host: str = "web", port: int = 22, key: bytes = OLD) -> Verdict:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return hostkeys.check([file], host, port, ED, key)


def test_plain_entry(file: Path) -> None:
    assert check(file, entry("web", OLD)) == Known(f"{file}:1")


def test_missing_file_knows_nothing(file: Path) -> None:
    assert hostkeys.check([file], "web", 22, ED, OLD) == Unknown(hostkeys.fingerprint(OLD))


@pytest.mark.parametrize(
    ("hosts", "host", "port", "known"),
    [
        ("web", "web", 22, True),
        ("web", "WEB", 22, True),
        ("Web", "web", 22, True),
        ("web", "web2", 22, False),
        ("db,web,10.0.0.7", "10.0.0.7", 22, True),
        ("*.lan", "web.lan", 22, True),
        ("*.lan", "web.lan.evil", 22, False),
        ("web-?", "web-1", 22, True),
        ("web-?", "web-12", 22, False),
        ("*.lan,!bad.lan", "good.lan", 22, True),
        ("*.lan,!bad.lan", "bad.lan", 22, False),
        ("!bad.lan,*.lan", "bad.lan", 22, False),
        ("!bad.lan", "good.lan", 22, False),
        ("[web]:2222", "web", 2222, True),
        ("[web]:2222", "web", 22, False),
        ("[web]:2222", "web", 2223, False),
        ("[*.lan]:2222", "web.lan", 2222, True),
        ("web", "web", 2222, True),  # as in OpenSSH: known without a port is known
        ("2001:db8::1", "2001:db8::1", 22, True),
        ("[2001:db8::1]:22022", "2001:DB8::1", 22022, True),
        ("w[e]b", "web", 22, False),
    ],
)
def test_host_patterns(file: Path, hosts: str, host: str, port: int, known: bool) -> None:
    assert isinstance(check(file, entry(hosts, OLD), host, port), Known if known else Unknown)


def test_changed_key_tells_both_fingerprints_and_the_line(file: Path) -> None:
    verdict = check(file, "# mine\n\n" + entry("web", OLD), key=NEW)
    assert verdict == Changed(file, 3, hostkeys.fingerprint(OLD), hostkeys.fingerprint(NEW), ED)


def test_another_type_of_key_is_a_changed_key(file: Path) -> None:
    verdict = check(file, entry("web", OTHER), key=NEW)
    assert verdict == Changed(file, 1, hostkeys.fingerprint(OTHER), hostkeys.fingerprint(NEW), RSA)


def test_changed_key_is_compared_with_the_one_of_its_type(file: Path) -> None:
    verdict = check(file, entry("web", OTHER) + entry("web", OLD), key=NEW)
    assert isinstance(verdict, Changed)
    assert (verdict.line, verdict.old_type) == (2, ED)


def test_several_keys_of_a_host_are_all_good(file: Path) -> None:
    text = entry("web", OTHER) + entry("web", OLD) + entry("*", NEW)
    assert check(file, text, key=NEW) == Known(f"{file}:3")


def test_changed_key_for_a_port_is_not_saved_by_the_other_port(file: Path) -> None:
    text = entry("web", NEW) + entry("[web]:2222", OLD)
    assert isinstance(check(file, text, port=2222, key=NEW), Changed)


def test_changed_key_of_another_port_says_nothing(file: Path) -> None:
    assert isinstance(check(file, entry("web", OLD), port=2222, key=NEW), Unknown)


@pytest.mark.parametrize("order", [1, -1])
def test_revoked_key_is_revoked_wherever_it_stands(file: Path, order: int) -> None:
    text = [entry("web", OLD), entry("*", OLD, "@revoked")][::order]
    verdict = check(file, "".join(text))
    assert verdict == Revoked(file, text.index(entry("*", OLD, "@revoked")) + 1, hostkeys.fingerprint(OLD))


def test_revoked_key_of_another_host_is_none_of_ours(file: Path) -> None:
    assert isinstance(check(file, entry("db", OLD, "@revoked") + entry("web", OLD)), Known)


def test_authority_is_no_host_key(file: Path) -> None:
    assert isinstance(check(file, entry("web", OLD, "@cert-authority")), Unknown)


def test_user_files_come_first_and_all_count(file: Path, tmp_path: Path) -> None:
    check(file, entry("db", OLD))
    second = tmp_path / "global"
    second.write_text(entry("web", OLD))
    assert hostkeys.check([file, second], "web", 22, ED, OLD) == Known(f"{second}:1")


def test_bad_lines_are_left_out_and_told(file: Path) -> None:
    warnings: list[str] = []
    bad = ["only two", f"web {RSA} {base64.b64encode(OLD).decode()}", "web ssh-ed25519 !!!", "@odd web x y"]
    file.parent.mkdir()
    file.write_bytes(
        ("\n".join(bad) + "\n\xff\n").encode("latin-1") + entry("web  ", OLD, comment="c d").encode()
    )
    assert hostkeys.check([file], "web", 22, ED, OLD, warnings=warnings) == Known(f"{file}:6")
    assert warnings == [f"{file}:{n} is no known_hosts line; it is left out" for n in range(1, 6)]


def test_unreadable_file_is_told(tmp_path: Path) -> None:
    warnings: list[str] = []
    hostkeys.check([tmp_path], "web", 22, ED, OLD, warnings=warnings)
    assert warnings == [f"{tmp_path} can't be read: Is a directory"]


@pytest.mark.parametrize("line", ["|1|", "|1|x", "|1|!|!", "|1|a|b|c", "|2|YQ==|YQ=="])
def test_broken_hash_matches_nothing(file: Path, line: str) -> None:
    assert isinstance(check(file, entry(line, OLD)), Unknown)


def test_remembering_makes_a_private_file(file: Path) -> None:
    hostkeys.remember(file, "Web", 2222, ED, OLD)
    assert file.read_text() == entry("[web]:2222", OLD)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_remembering_appends_only(file: Path) -> None:
    check(file, "# mine\n@revoked * broken\nno final newline")
    hostkeys.remember(file, "web", 22, ED, OLD)
    assert file.read_text() == "# mine\n@revoked * broken\nno final newline\n" + entry("web", OLD)


def test_remembering_hashed_hides_the_name(file: Path) -> None:
    hostkeys.remember(file, "web", 22, ED, OLD, hashed=True)
    assert file.read_text().startswith("|1|")
    assert "web" not in file.read_text()
    assert hostkeys.check([file], "web", 22, ED, OLD) == Known(f"{file}:1")
    assert isinstance(hostkeys.check([file], "db", 22, ED, OLD), Unknown)


def test_remembering_at_once_loses_nothing(file: Path) -> None:
    hosts = [f"h{n}" for n in range(40)]
    threads = [threading.Thread(target=hostkeys.remember, args=(file, host, 22, ED, OLD)) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line.hosts for line in hostkeys.read([file])) == sorted(hosts)


def test_remembering_where_it_can_not_be_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match="can't be written"):
        hostkeys.remember(tmp_path / "file" / "known_hosts", "web", 22, ED, OLD)


def test_known_types_are_preferred(file: Path) -> None:
    check(file, entry("web", OTHER) + entry("db", OLD))
    assert hostkeys.preferred_types([file], "web", 22)[:3] == ("rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519")
    assert hostkeys.preferred_types([file], "new", 22) == hostkeys.ALGORITHMS


def test_certificates_are_wanted_only_where_an_authority_is_known(file: Path) -> None:
    check(file, entry("*.lan", OTHER, "@cert-authority"))
    assert hostkeys.preferred_types([file], "web.lan", 22)[0] == "ssh-ed25519-cert-v01@openssh.com"
    assert not any("cert" in name for name in hostkeys.preferred_types([file], "web", 22))


# --- against ssh-keygen


def public(key: Path) -> bytes:
    return base64.b64decode(Path(f"{key}.pub").read_text().split()[1])


@needs_keygen
@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_fingerprint_is_the_one_of_ssh_keygen(tmp_path: Path, kind: str) -> None:
    key = new_key(tmp_path / "key", kind)
    assert hostkeys.fingerprint(public(key)) == keygen("-lf", key).split()[1]


@needs_keygen
def test_ssh_keygen_finds_what_was_remembered(tmp_path: Path, file: Path) -> None:
    key = new_key(tmp_path / "key")
    hostkeys.remember(file, "web", 22, ED, public(key))
    hostkeys.remember(file, "db", 2222, ED, public(key), hashed=True)
    assert "found: line 1" in keygen("-F", "web", "-f", file)
    assert "found: line 2" in keygen("-F", "[db]:2222", "-f", file)
    with pytest.raises(subprocess.CalledProcessError):
        keygen("-F", "db", "-f", file)


@needs_keygen
def test_what_ssh_keygen_hashed_is_found(tmp_path: Path, file: Path) -> None:
    key = public(new_key(tmp_path / "key"))
    check(file, entry("web,10.0.0.7,[db]:2222", key))
    keygen("-H", "-f", file)
    assert file.read_text().startswith("|1|")
    for host, port in [("web", 22), ("10.0.0.7", 22), ("db", 2222)]:
        assert isinstance(hostkeys.check([file], host, port, ED, key), Known)
    assert isinstance(hostkeys.check([file], "db", 22, ED, key), Unknown)


# --- host certificates, made by ssh-keygen


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("keys")
    return {
        name: new_key(directory / name, name.partition("_")[0])
        for name in ("ed25519", "ecdsa", "rsa", "rsa_ca")
    }


def judge(
    file: Path, certificate: Path, text: str, host: str = "web.lan", now: float | None = None
) -> Verdict:
    check(file, text)
    kind, data = certificate.read_text().split()[:2]
    return hostkeys.check([file], host, 22, kind, base64.b64decode(data), now=now)


@needs_keygen
@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("authority", ["ed25519", "ecdsa", "rsa_ca"])
def test_certificate_of_a_known_authority(
    keys: dict[str, Path], file: Path, kind: str, authority: str
) -> None:
    certificate = sign(keys[authority], keys[kind], principals="web.lan,*.dmz", host=True)
    text = entry("*", public(keys[authority]), "@cert-authority")
    assert judge(file, certificate, text) == Known(f"{file}:1", by_certificate=True)
    assert judge(file, certificate, text, "x.DMZ") == Known(f"{file}:1", by_certificate=True)


@needs_keygen
def test_certificate_that_is_not_valid_says_why(keys: dict[str, Path], file: Path) -> None:
    text = entry("*", public(keys["rsa"]), "@cert-authority")
    plain = hostkeys.fingerprint(public(keys["ed25519"]))

    def remark(certificate: Path, now: float | None = None) -> str:
        verdict = judge(file, certificate, text, now=now)
        assert isinstance(verdict, Unknown)
        assert verdict.fingerprint == plain
        return verdict.remark

    other = sign(keys["rsa"], keys["ed25519"], principals="db.lan", host=True)
    assert remark(other) == "its certificate is not valid: it is for db.lan, not for web.lan"
    user = sign(keys["rsa"], keys["ed25519"], principals="web.lan")
    assert remark(user) == "its certificate is not valid: it is not for hosts"
    right = sign(keys["rsa"], keys["ed25519"], principals="web.lan", host=True)
    assert "it ended at" in remark(right, now=4e9)
    assert "it begins at" in remark(right, now=1e9)


@needs_keygen
def test_forged_certificate_does_not_count(keys: dict[str, Path], file: Path) -> None:
    certificate = sign(keys["ecdsa"], keys["ed25519"], principals="db.lan", host=True)
    kind, data = certificate.read_text().split()[:2]
    check(file, entry("*", public(keys["ecdsa"]), "@cert-authority"))
    forged = base64.b64decode(data).replace(b"db.lan", b"my.lan")
    verdict = hostkeys.check([file], "my.lan", 22, kind, forged)
    assert isinstance(verdict, Unknown)
    assert verdict.remark == "its certificate is not valid: its signature is wrong"


@needs_keygen
def test_certificate_of_a_stranger_leaves_the_plain_key(keys: dict[str, Path], file: Path) -> None:
    certificate = sign(keys["ecdsa"], keys["ed25519"], principals="web.lan", host=True)
    assert judge(file, certificate, entry("web.lan", public(keys["ed25519"]))) == Known(f"{file}:1")
    assert isinstance(judge(file, certificate, entry("web.lan", OLD)), Changed)
    assert isinstance(
        judge(file, certificate, entry("db", public(keys["ecdsa"]), "@cert-authority")), Unknown
    )


@needs_keygen
@pytest.mark.parametrize("which", ["ecdsa", "ed25519"])
def test_revoked_authority_or_key_rules_a_certificate_out(
    keys: dict[str, Path], file: Path, which: str
) -> None:
    certificate = sign(keys["ecdsa"], keys["ed25519"], principals="web.lan", host=True)
    text = entry("*", public(keys["ecdsa"]), "@cert-authority") + entry("*", public(keys[which]), "@revoked")
    assert judge(file, certificate, text) == Revoked(file, 2, hostkeys.fingerprint(public(keys[which])))


@needs_keygen
def test_remembering_a_certificate_keeps_its_plain_key(keys: dict[str, Path], file: Path) -> None:
    certificate = sign(keys["ecdsa"], keys["ed25519"], principals="web.lan", host=True)
    kind, data = certificate.read_text().split()[:2]
    hostkeys.remember(file, "web.lan", 22, kind, base64.b64decode(data))
    assert file.read_text() == entry("web.lan", public(keys["ed25519"]))


def test_broken_certificate_is_unknown(file: Path) -> None:
    broken = blob("ssh-ed25519-cert-v01@openssh.com", "x")
    verdict = hostkeys.check([file], "web", 22, "ssh-ed25519-cert-v01@openssh.com", broken)
    assert isinstance(verdict, Unknown)
    assert verdict.remark == "the server's certificate can't be read"


@given(st.binary(max_size=400))
def test_no_bytes_in_a_file_are_fatal(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "known_hosts"
        file.write_bytes(data + b"\n" + entry("web", OLD).encode())
        assert isinstance(hostkeys.check([file], "web", 22, ED, OLD), Known)


@given(st.binary(max_size=200))
def test_no_certificate_on_the_wire_is_fatal(data: bytes) -> None:
    name = "ssh-ed25519-cert-v01@openssh.com"
    assert isinstance(hostkeys.check([], "web", 22, name, string(name) + data), Unknown)
