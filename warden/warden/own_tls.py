"""TLS of a program that Prometheus asks."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from warden.egress.certificates import authority, server_certificate


def own_tls(host: str) -> ssl.SSLContext:
    """With a certificate of this start alone: nobody listens in. Whom Prometheus talks to says the
    network policy."""
    now = datetime.now(UTC)
    pair = server_certificate(host, authority("own", now), now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "tls.crt", Path(folder) / "tls.key"
        certificate.write_text(pair.certificate)
        key.touch(mode=0o600)
        key.write_text(pair.key)
        context.load_cert_chain(certificate, key)
    return context
