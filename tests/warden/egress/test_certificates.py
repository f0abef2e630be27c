"""Tenants' authorities: what they vouch for, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import (
    PolicyBuilder,
    ServerVerifier,
    Store,
    VerificationError,
)

from warden.egress.certificates import Pair, authority, host_certificate

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACME, OTHER = authority("acme", NOW), authority("other", NOW)


def verifier(trusted: Pair, host: str, at: datetime = NOW) -> ServerVerifier:
    """A client that trusts that authority alone."""
    store = Store([x509.load_pem_x509_certificate(trusted.certificate.encode())])
    return PolicyBuilder().store(store).time(at).build_server_verifier(x509.DNSName(host))


def chain(pair: Pair) -> list[x509.Certificate]:
    """The certificates, the host's first."""
    return x509.load_pem_x509_certificates(pair.certificate.encode())


@pytest.mark.parametrize(
    ("certified", "asked"),
    [("api.openai.com", "api.openai.com"), ("*.pypi.org", "files.pypi.org")],
)
def test_a_sandbox_of_the_tenant_trusts_it(certified: str, asked: str) -> None:
    leaf, *above = chain(host_certificate(certified, ACME, NOW))
    assert verifier(ACME, asked).verify(leaf, above)


@pytest.mark.parametrize(
    ("certified", "trusted", "asked", "days"),
    [
        pytest.param("api.openai.com", OTHER, "api.openai.com", 0, id="another tenant's sandbox"),
        pytest.param("api.openai.com", ACME, "api.github.com", 0, id="for another host"),
        pytest.param("*.pypi.org", ACME, "a.b.pypi.org", 0, id="for two labels"),
        pytest.param("api.openai.com", ACME, "api.openai.com", 31, id="after its time"),
        pytest.param("api.openai.com", ACME, "api.openai.com", -1, id="before its time"),
    ],
)
def test_nobody_trusts_it(certified: str, trusted: Pair, asked: str, days: int) -> None:
    leaf, *above = chain(host_certificate(certified, ACME, NOW))
    with pytest.raises(VerificationError):
        verifier(trusted, asked, NOW + timedelta(days=days)).verify(leaf, above)


def test_an_authority_makes_no_further_authorities() -> None:
    basic = chain(ACME)[0].extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (basic.ca, basic.path_length) == (True, 0)


def test_a_certificate_is_renewed_before_it_ends() -> None:
    leaf = host_certificate("api.openai.com", ACME, NOW)
    assert leaf.lasts(NOW + timedelta(days=19))
    assert not leaf.lasts(NOW + timedelta(days=21))
    assert not Pair(certificate="nothing", key="").lasts(NOW)
