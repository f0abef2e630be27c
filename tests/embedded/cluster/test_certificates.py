"""Certificates: what is whole is left alone, what isn't is made again."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from corral.embedded.cluster import certificates
from corral.embedded.cluster.certificates import Identity, ensure_authority, ensure_certificate
from corral.embedded.cluster.keys import CLIENTS, ensure_keys
from corral.embedded.cluster.layout import Layout

ALL = {
    "authority",
    "etcd-authority",
    "kube-apiserver",
    "controllers",
    "etcd",
    "etcd-client",
    "service-accounts",
    *CLIENTS,
}
SIGNED_BY_AUTHORITY = {"authority", "kube-apiserver", "controllers", *CLIENTS}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(state=tmp_path / "state")
    layout.prepare()
    ensure_keys(layout)
    return layout


def contents(layout: Layout) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in layout.keys.glob("*.key")}


def changed(layout: Layout) -> set[str]:
    """Names of the keys that the next start makes again."""
    before = contents(layout)
    ensure_keys(layout)
    after = contents(layout)
    return {name for name in after if after[name] != before.get(name)}


def test_every_key_is_there_and_for_its_owner_alone(layout: Layout) -> None:
    assert contents(layout).keys() == ALL
    assert {path.stat().st_mode & 0o777 for path in layout.keys.iterdir()} == {0o600}


def test_what_is_whole_is_left_alone(layout: Layout) -> None:
    assert changed(layout) == set()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garble(path: Path) -> None:
    path.write_bytes(b"\0" * 300)


def swap_for_another_key(path: Path) -> None:
    path.write_bytes((path.parent / "kwok").with_suffix(path.suffix).read_bytes())


@pytest.mark.parametrize("damage", [Path.unlink, cut, empty, garble, swap_for_another_key])
@pytest.mark.parametrize("suffix", [".crt", ".key"])
@pytest.mark.parametrize("name", ["etcd", "admin"])
def test_a_damaged_pair_is_made_again_and_no_other(
    layout: Layout, name: str, suffix: str, damage: Callable[[Path], None]
) -> None:
    damage(layout.keys / f"{name}{suffix}")
    assert changed(layout) == {name}
    assert changed(layout) == set(), "what was made is whole"


@pytest.mark.parametrize("damage", [Path.unlink, cut, swap_for_another_key])
@pytest.mark.parametrize("suffix", [".crt", ".key"])
def test_a_new_authority_signs_everything_of_its_own_anew(
    layout: Layout, suffix: str, damage: Callable[[Path], None]
) -> None:
    damage(layout.keys / f"authority{suffix}")
    assert changed(layout) == SIGNED_BY_AUTHORITY


def test_what_runs_out_soon_is_renewed(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    def later(days: int) -> Callable[[], datetime.datetime]:
        then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        return lambda: then

    signed = ALL - {"authority", "etcd-authority", "service-accounts"}
    monkeypatch.setattr(certificates, "now", later(certificates.CERTIFICATE_DAYS - 32))
    assert changed(layout) == set()
    monkeypatch.setattr(certificates, "now", later(certificates.CERTIFICATE_DAYS - 29))
    assert changed(layout) == signed
    monkeypatch.setattr(certificates, "now", later(certificates.AUTHORITY_DAYS - 29))
    assert changed(layout) == ALL - {"service-accounts"}


def test_identities_say_what_the_api_server_goes_by(layout: Layout) -> None:
    subjects = {
        name: x509.load_pem_x509_certificate(
            (layout.keys / f"{name}.crt").read_bytes()
        ).subject.rfc4514_string()
        for name in CLIENTS
    }
    assert subjects == {
        "admin": "CN=corral:admin,O=system:masters",
        "kube-controller-manager": "CN=system:kube-controller-manager",
        "kube-scheduler": "CN=system:kube-scheduler",
        "kwok": "CN=corral:kwok",
    }, "no other than the administrator is in a group with rights"


def test_a_changed_identity_gets_a_new_certificate(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path, "ca")
    for identity in (
        Identity(name="one"),
        Identity(name="two"),
        Identity(name="two", organization="group"),
        Identity(name="two", organization="group", addresses=("127.0.0.1", "localhost")),
    ):
        pair = ensure_certificate(tmp_path, "leaf", authority=authority, identity=identity)
        first = pair.key.read_bytes()
        ensure_certificate(tmp_path, "leaf", authority=authority, identity=identity)
        assert pair.key.read_bytes() == first
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        assert certificate.subject == identity.subject
        key = certificate.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert key.curve.name == "secp256r1"
