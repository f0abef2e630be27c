"""Tenants' certificate authorities, and the certificates of inspected hosts.

Each tenant has an authority of its own, which only its sandboxes trust: what one tenant's gateway
could pretend to be means nothing to another's sandbox. Keys are made here and kept in Secrets; they
are in no plan and in no state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
"""As long as a tenant is: sandboxes learn it when they start, and some run for days."""
HOST_DAYS = 30
RENEWED_DAYS = 10
"""Left of a certificate when another takes its place."""
BACKDATED = timedelta(minutes=10)
"""Clocks differ."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str

    def ends(self) -> datetime:
        """When nobody takes it any more. ValueError for one that can't be read."""
        return x509.load_pem_x509_certificate(self.certificate.encode()).not_valid_after_utc

    def lasts(self, now: datetime, *, days: int = RENEWED_DAYS) -> bool:
        """Whether it can be used for that much longer. A certificate that can't be read can't."""
        try:
            return self.ends() - now > timedelta(days=days)
        except ValueError:
            return False


def authority(tenant: str, now: datetime) -> Pair:
    """A new authority of a tenant. It signs certificates of hosts and no further authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "corral egress gateway"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"corral egress {tenant}"),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(name, name, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pair(certificate, key)


def host_certificate(host: str, issuer: Pair, now: datetime) -> Pair:
    """A certificate of a host or a wildcard by a tenant's authority, with that one after it."""
    return _signed(host, issuer, now, days=HOST_DAYS, purpose=ExtendedKeyUsageOID.SERVER_AUTH)


def server_certificate(host: str, issuer: Pair, now: datetime) -> Pair:
    """The control plane's own."""
    return _signed(host, issuer, now, days=AUTHORITY_DAYS, purpose=ExtendedKeyUsageOID.SERVER_AUTH)


def client_certificate(name: str, issuer: Pair, now: datetime) -> Pair:
    """Of who may ask the control plane. Envoy reads it once: it lasts as long as its authority."""
    return _signed(name, issuer, now, days=AUTHORITY_DAYS, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)


def _signed(
    host: str, issuer: Pair, now: datetime, *, days: int, purpose: x509.ObjectIdentifier
) -> Pair:
    above = x509.load_pem_x509_certificate(issuer.certificate.encode())
    signer = serialization.load_pem_private_key(issuer.key.encode(), None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise ValueError(f"the authority above {host} has a key of another kind than corral makes")
    key = ec.generate_private_key(ec.SECP256R1())
    # A common name ends at 64 characters; who the certificate is for stands in the other one.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "corral egress gateway")])
    certificate = (
        _builder(subject, above.subject, key, now, days)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([purpose]),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    found = _pair(certificate, key)
    return Pair(certificate=found.certificate + issuer.certificate, key=found.key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    plain = serialization.NoEncryption()
    return Pair(
        certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
        ).decode(),
    )
