"""Which cluster, and as whom: one named context of one kubeconfig file."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import yaml

from corral.kubernetes.credentials import (
    Certificate,
    Credentials,
    ExecPlugin,
    FixedCredentials,
    TokenFile,
)
from corral.kubernetes.errors import KubeconfigError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """Where a context points to and how to be let in. Secrets stay out of its repr."""

    server: str
    """`https://host:port`, with a path where the API server sits below one; no trailing slash."""
    authority: bytes | None = field(repr=False, default=None)
    """PEM certificates of the authority to trust; None trusts the system's."""
    verify: bool = True
    server_name: str | None = None
    """Name to expect in the server's certificate, where it isn't the server's host."""
    proxy: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Impersonation."""
    credentials: Credentials = field(repr=False, default_factory=FixedCredentials)


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """A kubeconfig file and the context to use in it. The file's current-context counts for
    nothing: which cluster is meant has to be said."""

    kubeconfig: Path
    context: str

    def endpoint(self) -> Endpoint:
        """Reads the file. KubeconfigError names what is missing or can't be used."""
        return _Reader(self.kubeconfig.expanduser()).endpoint(self.context)


class _Reader:
    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise KubeconfigError(
                file, "file", f"can't be read ({reason})", "Name an existing kubeconfig"
            ) from error
        try:
            document = yaml.safe_load(text)
        except yaml.YAMLError as error:
            # The parser's own text quotes the file, and the file holds keys.
            mark = getattr(error, "problem_mark", None)
            line = f" at line {mark.line + 1}" if mark else ""
            raise KubeconfigError(
                file, "file", f"is not YAML{line}", "Write it again, or copy it anew"
            ) from None
        if not isinstance(document, dict):
            raise self.wrong("file", "holds no kubeconfig", "Name a file with kind: Config")
        self.document: dict[str, Any] = document

    def wrong(self, key: str, problem: str, fix: str) -> KubeconfigError:
        return KubeconfigError(self.file, key, problem, fix)

    def endpoint(self, context_name: str) -> Endpoint:
        context = self.entry("contexts", "context", context_name, "Name one of these contexts")
        key = f"contexts[{context_name}].context"
        cluster_name = self.required(context, "cluster", key)
        cluster = self.entry("clusters", "cluster", cluster_name, f"Correct {key}.cluster")
        user_name = self.required(context, "user", key)
        user = self.entry("users", "user", user_name, f"Correct {key}.user")
        at_cluster, at_user = f"clusters[{cluster_name}].cluster", f"users[{user_name}].user"
        server = self.server(cluster, at_cluster)
        verify = not self.value(cluster, "insecure-skip-tls-verify", bool, at_cluster)
        authority = self.bytes_of(cluster, "certificate-authority", at_cluster)
        endpoint = Endpoint(
            server=server,
            authority=authority if verify else None,
            verify=verify,
            server_name=self.value(cluster, "tls-server-name", str, at_cluster),
            proxy=self.value(cluster, "proxy-url", str, at_cluster),
            headers=self.impersonation(user, at_user),
        )
        return replace(endpoint, credentials=self.credentials(user, at_user, endpoint))

    def entry(self, section: str, inner: str, name: str, fix: str) -> dict[str, Any]:
        listed = self.document.get(section) or []
        if not isinstance(listed, list):
            raise self.wrong(section, "must be a list", "Correct the file")
        named = {e.get("name"): e.get(inner) for e in listed if isinstance(e, dict)}
        if name not in named:
            have = ", ".join(sorted(str(n) for n in named)) or "none"
            raise self.wrong(section, f"no entry named {name!r}", f"{fix}: {have}")
        found = named[name]
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise self.wrong(f"{section}[{name}].{inner}", "must be a map", "Correct the file")
        return found

    def value(self, where: dict[str, Any], key: str, kind: type[T], at: str) -> T | None:
        found = where.get(key)
        if found is None or found == "":
            return None
        if not isinstance(found, kind):
            raise self.wrong(f"{at}.{key}", f"must be a {kind.__name__}", "Correct the file")
        return found

    def required(self, where: dict[str, Any], key: str, at: str) -> str:
        found = self.value(where, key, str, at)
        if found is None:
            raise self.wrong(f"{at}.{key}", "is missing", "Add it")
        return found

    def server(self, cluster: dict[str, Any], at: str) -> str:
        server = self.required(cluster, "server", at).rstrip("/")
        parts = urlsplit(server)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise self.wrong(f"{at}.server", f"{server!r} is no address", "Write https://HOST:PORT")
        return server

    def path(self, text: str) -> Path:
        """Relative paths in a kubeconfig are relative to the file, not to the working directory."""
        return self.file.parent / Path(text).expanduser()

    def bytes_of(self, where: dict[str, Any], key: str, at: str) -> bytes | None:
        """The content of `key`-data (base64), which goes before the file that `key` names."""
        data = self.value(where, f"{key}-data", str, at)
        if data is not None:
            try:
                return base64.b64decode(data, validate=True)
            except binascii.Error:
                raise self.wrong(
                    f"{at}.{key}-data", "is not base64", "Copy the kubeconfig anew"
                ) from None
        named = self.value(where, key, str, at)
        if named is None:
            return None
        try:
            return self.path(named).read_bytes()
        except OSError as error:
            raise self.wrong(
                f"{at}.{key}", f"{named}: {error.strerror}", "Name an existing file"
            ) from None

    def impersonation(self, user: dict[str, Any], at: str) -> dict[str, str]:
        if user.get("as-groups") or user.get("as-user-extra"):
            # Acting with other rights than the file says would be worse than not acting.
            raise self.wrong(
                f"{at}.as-groups", "is not supported", "Use a user with the rights of its own"
            )
        headers = {
            "Impersonate-User": self.value(user, "as", str, at),
            "Impersonate-Uid": self.value(user, "as-uid", str, at),
        }
        return {name: value for name, value in headers.items() if value is not None}

    def credentials(self, user: dict[str, Any], at: str, endpoint: Endpoint) -> Credentials:
        for key, fix in _UNSUPPORTED.items():
            if user.get(key):
                raise self.wrong(f"{at}.{key}", "is not supported by Kubernetes any more", fix)
        certificate = self.certificate(user, at)
        if user.get("exec"):
            return self.plugin(user["exec"], f"{at}.exec", endpoint)
        # As in client-go, a token file goes before a token.
        token_file = self.value(user, "tokenFile", str, at)
        if token_file is not None:
            return TokenFile(self.path(token_file), certificate)
        return FixedCredentials(token=self.value(user, "token", str, at), certificate=certificate)

    def certificate(self, user: dict[str, Any], at: str) -> Certificate | None:
        chain = self.bytes_of(user, "client-certificate", at)
        key = self.bytes_of(user, "client-key", at)
        if (chain is None) != (key is None):
            missing = "client-certificate" if chain is None else "client-key"
            raise self.wrong(f"{at}.{missing}", "is missing", "Certificate and key go together")
        return None if chain is None or key is None else Certificate(chain=chain, key=key)

    def plugin(self, spec: object, at: str, endpoint: Endpoint) -> ExecPlugin:
        if not isinstance(spec, dict):
            raise self.wrong(at, "must be a map", "Correct the file")
        version = self.required(spec, "apiVersion", at)
        if version not in ExecPlugin.VERSIONS:
            raise self.wrong(
                f"{at}.apiVersion", f"{version} is not supported", f"Use {ExecPlugin.VERSIONS[0]}"
            )
        if spec.get("interactiveMode") == "Always":
            raise self.wrong(
                f"{at}.interactiveMode",
                "a plugin that asks can't be used here",
                "Log in beforehand and set IfAvailable",
            )
        command = self.required(spec, "command", at)
        cluster = None
        if spec.get("provideClusterInfo"):
            cluster = {"server": endpoint.server, "insecure-skip-tls-verify": not endpoint.verify}
            if endpoint.authority:
                authority = base64.b64encode(endpoint.authority).decode("ascii")
                cluster["certificate-authority-data"] = authority
        return ExecPlugin(
            api_version=version,
            command=str(self.path(command)) if "/" in command else command,
            arguments=tuple(str(a) for a in spec.get("args") or ()),
            environment={e["name"]: str(e["value"]) for e in spec.get("env") or ()},
            install_hint=str(spec.get("installHint") or ""),
            cluster=cluster,
        )


_UNSUPPORTED = {
    "auth-provider": "Use an exec plugin (client.authentication.k8s.io)",
    "username": "Use a client certificate, a token or an exec plugin",
}
