"""How a request proves who sends it: certificates, tokens, and plugins that fetch either."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol

import orjson

from corral.kubernetes.errors import CredentialError

_REREAD_SECONDS = 60
_BEFORE_EXPIRY_SECONDS = 30
_PLUGIN_SECONDS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """A client certificate: PEM chain and PEM key."""

    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """What to show now."""

    token: str | None = field(repr=False, default=None)
    certificate: Certificate | None = field(repr=False, default=None)


class Credentials(Protocol):
    """Where credentials come from. Called from several threads at once."""

    def current(self) -> Credential:
        """What to show; may take seconds. CredentialError where there is none."""
        ...

    def refused(self, shown: Credential) -> bool:
        """The server answered 401 to `shown`: forget it. True when trying again makes sense."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedCredentials:
    """What the kubeconfig holds itself."""

    token: str | None = field(repr=False, default=None)
    certificate: Certificate | None = field(repr=False, default=None)

    def current(self) -> Credential:
        return Credential(token=self.token, certificate=self.certificate)

    def refused(self, shown: Credential) -> bool:  # noqa: ARG002 - there is nothing to forget
        return False


class TokenFile:
    """A token that something else writes anew from time to time."""

    def __init__(self, file: Path, certificate: Certificate | None = None) -> None:
        self._file = file
        self._certificate = certificate
        self._lock = threading.Lock()
        self._token = ""
        self._read_at = 0.0

    def current(self) -> Credential:
        with self._lock:
            if not self._token or time.monotonic() - self._read_at > _REREAD_SECONDS:
                try:
                    self._token = self._file.read_text(encoding="ascii").strip()
                except (OSError, UnicodeDecodeError) as error:
                    raise CredentialError(
                        f"{self._file}: tokenFile can't be read ({type(error).__name__})"
                    ) from None
                self._read_at = time.monotonic()
            return Credential(token=self._token, certificate=self._certificate)

    def refused(self, shown: Credential) -> bool:
        with self._lock:
            if self._token == shown.token:
                self._token = ""
        return self.current() != shown


@dataclass(kw_only=True)
class ExecPlugin:
    """A program that prints an ExecCredential (client.authentication.k8s.io); what it prints is
    kept until it expires or is refused."""

    VERSIONS: ClassVar[tuple[str, ...]] = (
        "client.authentication.k8s.io/v1",
        "client.authentication.k8s.io/v1beta1",
    )

    api_version: str
    command: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(repr=False, default_factory=dict)
    install_hint: str = ""
    cluster: Mapping[str, Any] | None = None
    """What the plugin is told of the cluster, where the kubeconfig says so."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _held: Credential | None = field(default=None, repr=False)
    _expires: float | None = None

    def current(self) -> Credential:
        with self._lock:
            expired = self._expires is not None and time.time() > self._expires
            if self._held is None or expired:
                self._held, self._expires = self._run()
            return self._held

    def refused(self, shown: Credential) -> bool:
        with self._lock:
            if self._held == shown:
                self._held = None
        return self.current() != shown

    def _run(self) -> tuple[Credential, float | None]:
        program = shutil.which(self.command)
        if program is None:
            raise self._failed(f"is not installed. {self.install_hint}".strip())
        asked = {
            "apiVersion": self.api_version,
            "kind": "ExecCredential",
            "spec": {"interactive": False, **({"cluster": self.cluster} if self.cluster else {})},
        }
        environment = {
            **os.environ,
            **self.environment,
            "KUBERNETES_EXEC_INFO": orjson.dumps(asked).decode("utf-8"),
        }
        try:
            done = subprocess.run(
                [program, *self.arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PLUGIN_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._failed(f"could not be run ({type(error).__name__})") from None
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
            raise self._failed(f"ended with {done.returncode}: {' / '.join(said) or 'no message'}")
        return self._understood(done.stdout)

    def _understood(self, printed: bytes) -> tuple[Credential, float | None]:
        """Nothing of what was printed goes into an error: it may hold the token."""
        try:
            document = orjson.loads(printed)
        except orjson.JSONDecodeError:
            raise self._failed("did not print JSON") from None
        status = document.get("status") if isinstance(document, dict) else None
        if not isinstance(status, dict) or document.get("kind") != "ExecCredential":
            raise self._failed("did not print an ExecCredential with a status")
        if document.get("apiVersion") != self.api_version:
            raise self._failed(f"printed another version than {self.api_version}")
        chain, key = status.get("clientCertificateData"), status.get("clientKeyData")
        if (chain is None) != (key is None) or not (status.get("token") or chain):
            raise self._failed("printed neither a token nor a certificate with its key")
        certificate = None
        if chain and key:
            certificate = Certificate(chain=str(chain).encode(), key=str(key).encode())
        return Credential(token=status.get("token"), certificate=certificate), self._expiry(status)

    def _expiry(self, status: dict[str, Any]) -> float | None:
        text = status.get("expirationTimestamp")
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(str(text))
        except ValueError:
            raise self._failed("printed an expirationTimestamp that is no time") from None
        return moment.timestamp() - _BEFORE_EXPIRY_SECONDS

    def _failed(self, problem: str) -> CredentialError:
        return CredentialError(f"The credential plugin {self.command!r} {problem}")
