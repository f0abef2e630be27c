"""Connections to one API server: TLS, proxies and a pool that threads share."""

from __future__ import annotations

import ssl
import tempfile
import threading
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

from corral.kubernetes.access import Endpoint
from corral.kubernetes.credentials import Certificate, Credential
from corral.kubernetes.errors import CredentialError, Unreachable

_TIMEOUT = urllib3.Timeout(connect=5.0, read=90.0)
_NOT_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An HTTP answer; `warnings` are the texts of its Warning headers."""

    status: int
    body: bytes
    retry_after: float | None = None
    warnings: tuple[str, ...] = ()


class Transport:
    """Sends one request once. At most `connections` are open; further threads wait for one."""

    def __init__(self, endpoint: Endpoint, connections: int) -> None:
        self._endpoint = endpoint
        self._connections = connections
        self._base = urlsplit(endpoint.server).path
        self._lock = threading.Lock()
        self._pools: dict[Certificate | None, urllib3.HTTPConnectionPool] = {}

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        shown: Credential,
    ) -> Answer:
        """`target` is path and query. Unreachable when no answer came."""
        sent_headers = {**self._endpoint.headers, **headers}
        if shown.token is not None:
            sent_headers["Authorization"] = f"Bearer {shown.token}"
        try:
            response = self._pool(shown.certificate).urlopen(
                method,
                self._base + target,
                body=body,
                headers=sent_headers,
                retries=False,
                redirect=False,
                timeout=_TIMEOUT,
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from None
        return Answer(
            status=response.status,
            body=response.data,
            retry_after=_seconds(response.headers.get("Retry-After")),
            warnings=tuple(_warning_text(text) for text in response.headers.getlist("Warning")),
        )

    def close(self) -> None:
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()

    def _pool(self, certificate: Certificate | None) -> urllib3.HTTPConnectionPool:
        with self._lock:
            if certificate not in self._pools:
                # A plugin's next certificate makes the last one's connections useless.
                for old in self._pools.values():
                    old.close()
                self._pools = {certificate: self._new_pool(certificate)}
            return self._pools[certificate]

    def _new_pool(self, certificate: Certificate | None) -> urllib3.HTTPConnectionPool:
        # urllib3 hands keyword arguments through untyped.
        options: dict[str, Any] = {"maxsize": self._connections, "block": True}
        if self._endpoint.server.startswith("https:"):
            options["ssl_context"] = _tls(self._endpoint, certificate)
            if self._endpoint.server_name is not None:
                options["server_hostname"] = self._endpoint.server_name
        proxy = self._endpoint.proxy or _proxy_of_environment(self._endpoint.server)
        if proxy is None:
            return urllib3.connection_from_url(self._endpoint.server, **options)
        return urllib3.ProxyManager(proxy, **options).connection_from_url(self._endpoint.server)

    def _unreachable(self, error: urllib3.exceptions.HTTPError) -> Exception:
        server = self._endpoint.server
        untrusted = _certificate_problem(error)
        if untrusted is not None:
            return CredentialError(
                f"The certificate of {server} is not trusted ({untrusted}). "
                "Correct certificate-authority or tls-server-name in the kubeconfig"
            )
        return Unreachable(server, _reason(error), sent=not isinstance(error, _NOT_SENT))


def _tls(endpoint: Endpoint, certificate: Certificate | None) -> ssl.SSLContext:
    try:
        if endpoint.authority is None:
            context = ssl.create_default_context()
        else:
            context = ssl.create_default_context(cadata=endpoint.authority.decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError):
        raise CredentialError(
            f"certificate-authority of {endpoint.server} holds no PEM certificate"
        ) from None
    if not endpoint.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        _present(context, certificate, endpoint.server)
    return context


def _present(context: ssl.SSLContext, certificate: Certificate, server: str) -> None:
    """The ssl module reads certificates from files only; the folder is private and short-lived."""
    with tempfile.TemporaryDirectory(prefix="corral-") as folder:
        file = Path(folder) / "client.pem"
        file.touch(mode=0o600)
        file.write_bytes(certificate.chain + b"\n" + certificate.key)
        try:
            context.load_cert_chain(file)
        except ssl.SSLError:
            raise CredentialError(
                f"The client certificate for {server} and its key don't fit together"
            ) from None


def _proxy_of_environment(server: str) -> str | None:
    """HTTPS_PROXY and NO_PROXY count as they do for kubectl; this machine is never proxied."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    if host == "localhost" or _is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(parts.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _certificate_problem(error: BaseException) -> str | None:
    seen: BaseException | None = error
    while seen is not None:
        for part in (seen, *seen.args):
            if isinstance(part, ssl.SSLCertVerificationError):
                return part.verify_message or "verification failed"
        seen = seen.__cause__ or seen.__context__
    return None


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    inner: BaseException = error
    while inner.__cause__ is not None or inner.__context__ is not None:
        inner = inner.__cause__ or inner.__context__ or inner
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror.lower()
    return str(inner) or type(inner).__name__


def _seconds(text: str | None) -> float | None:
    """Retry-After as the API server sends it; dates are not waited for."""
    return float(text) if text is not None and text.isdecimal() else None


def _warning_text(header: str) -> str:
    """`299 - "text"` → text."""
    start, end = header.find('"'), header.rfind('"')
    return header[start + 1 : end].replace('\\"', '"') if start < end else header
