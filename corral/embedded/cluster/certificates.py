"""The cluster's own certificate authorities and what they sign: ECDSA on P-256.

Everything is made when it is missing and made again when it is damaged, doesn't fit together or
runs out soon. What is whole is left alone.
"""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from corral.embedded.cluster.files import write_private

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 365
RENEW_DAYS = 30
"""Certificates that run out within so many days are made again at the next start."""

_DAMAGED = (ValueError, TypeError, InvalidSignature, FileNotFoundError, x509.ExtensionNotFound)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate and its private key, as files in PEM."""

    certificate: Path
    key: Path

    @classmethod
    def named(cls, folder: Path, name: str) -> Pair:
        """`<name>.crt` and `<name>.key` in the folder."""
        return cls(certificate=folder / f"{name}.crt", key=folder / f"{name}.key")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a certificate is for. `organization` becomes the Kubernetes group."""

    name: str
    organization: str = ""
    addresses: tuple[str, ...] = ()
    """Host names and IP addresses that it may serve under; none for a client."""
    client: bool = True

    @property
    def subject(self) -> x509.Name:
        """As it stands in the certificate."""
        parts = [x509.NameAttribute(NameOID.COMMON_NAME, self.name)]
        if self.organization:
            parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organization))
        return x509.Name(parts)

    @property
    def usages(self) -> list[x509.ObjectIdentifier]:
        """What the certificate may be shown for."""
        serving = [ExtendedKeyUsageOID.SERVER_AUTH] if self.addresses else []
        return serving + ([ExtendedKeyUsageOID.CLIENT_AUTH] if self.client else [])


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Signs the certificates of one circle of trust."""

    pair: Pair
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)


def ensure_authority(folder: Path, name: str) -> Authority:
    """The authority in that folder, made anew if it is missing, damaged or runs out soon."""
    pair = Pair.named(folder, name)
    try:
        certificate, key = _load(pair)
        certificate.verify_directly_issued_by(certificate)
        return Authority(pair=pair, certificate=certificate, key=key)
    except _DAMAGED:
        pass
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"corral embedded {name}")])
    certificate = (
        _builder(subject, subject, key.public_key(), AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    _save(pair, certificate, key)
    return Authority(pair=pair, certificate=certificate, key=key)


def ensure_certificate(
    folder: Path, file_name: str, *, authority: Authority, identity: Identity
) -> Pair:
    """A certificate of that identity signed by that authority, made anew if the one there is
    missing, damaged, somebody else's, or runs out soon."""
    pair = Pair.named(folder, file_name)
    try:
        certificate, _ = _load(pair)
        certificate.verify_directly_issued_by(authority.certificate)
        if certificate.subject == identity.subject and _names(certificate) == _wanted(identity):
            return pair
    except _DAMAGED:
        pass
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(
            identity.subject, authority.certificate.subject, key.public_key(), CERTIFICATE_DAYS
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(identity.usages), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    if identity.addresses:
        builder = builder.add_extension(_wanted(identity), critical=False)
    _save(pair, builder.sign(authority.key, hashes.SHA256()), key)
    return pair


def ensure_signing_key(folder: Path, name: str) -> Pair:
    """The key pair that service-account tokens are signed with: `<name>.key`, and its public half
    in `<name>.crt`. A new one makes every token issued before it invalid."""
    pair = Pair.named(folder, name)
    try:
        key = _load_key(pair.key)
    except _DAMAGED:
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(pair.key, _private(key))
    write_private(
        pair.certificate,
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )
    return pair


def now() -> datetime.datetime:
    """The present, in UTC."""
    return datetime.datetime.now(datetime.UTC)


def _load(pair: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Raises one of _DAMAGED unless both are whole, belong together and last for a while."""
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    key = _load_key(pair.key)
    if certificate.public_key() != key.public_key():
        raise ValueError("the key is not the certificate's")
    if certificate.not_valid_after_utc < now() + datetime.timedelta(days=RENEW_DAYS):
        raise ValueError("it runs out soon")
    return certificate, key


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("not an elliptic-curve key")
    return key


def _save(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    write_private(pair.key, _private(key))
    write_private(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    begin = now() - datetime.timedelta(minutes=5)  # a clock may be set back a little after this
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _wanted(identity: Identity) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general_name(name) for name in identity.addresses])


def _names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
