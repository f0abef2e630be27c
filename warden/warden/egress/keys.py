"""Keys that are made in the cluster and never leave it: the control plane's own, and tenants'.

Whichever replica is first writes; the others take what is there.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from kubernetes_asyncio import client
from kubernetes_asyncio.client.exceptions import ApiException

from warden.egress.certificates import (
    Pair,
    authority,
    client_certificate,
    host_certificate,
    server_certificate,
)
from warden.egress.world import World

AUTHORITY = "egress-ca-{tenant}"
HOSTS = "egress-hosts-{tenant}"
TRUST = "egress-ca"
"""The ConfigMap in a tenant's namespace with the certificate of its authority."""
TRUST_KEY = "ca.crt"

CONTROL_AUTHORITY, CONTROL_SERVER, CONTROL_CLIENT = (
    "egress-control-ca",
    "egress-control-server",
    "egress-control-client",
)
"""The control plane's authority, its own certificate, and that of whoever may ask it: pods of
gateways and resolvers mount the last one. To change them, delete all three and restart all
pods."""

TRUST_BINDING = "corral-egress-trust"
"""The RoleBinding beside it that lets it be written: it belongs to that one, and goes with it."""

CREDENTIAL_LABEL = "egress.corral.dev/credential-of"
"""On Secrets: the tenant whose credential it is."""

CONFLICT, NOT_FOUND = 409, 404

_OWN = "tls"
"""A Secret's own pair: tls.crt and tls.key."""

_MANAGED = {"app.kubernetes.io/managed-by": "corral"}


class Keys:
    """Secrets of one namespace."""

    def __init__(self, api: client.ApiClient, *, namespace: str) -> None:
        self._core = client.CoreV1Api(api)
        self._rights = client.RbacAuthorizationV1Api(api)
        self._namespace = namespace
        self.ends: dict[str, int] = {}
        """When what is in each Secret ends, in Unix seconds: the first of several."""

    async def control(self, host: str) -> tuple[Pair, str]:
        """The control plane's certificate for its Service's name, and the authority that whoever
        asks must have theirs from. Theirs is made too."""
        now = datetime.now(UTC)
        above = await self._once(CONTROL_AUTHORITY, lambda: authority("control", now))
        trusted = above.certificate
        own = await self._once(
            CONTROL_SERVER, lambda: server_certificate(host, above, now), above=trusted
        )
        await self._once(
            CONTROL_CLIENT,
            lambda: client_certificate("gateway", above, now),
            above=above.certificate,
        )
        return own, above.certificate

    async def certify(self, tenant: str, hosts: list[str], world: World) -> None:
        """Sees that the tenant's authority is there and known to it, and a certificate for each of
        these hosts."""
        if not hosts:
            return
        now = datetime.now(UTC)
        above = await self._once(AUTHORITY.format(tenant=tenant), lambda: authority(tenant, now))
        await self._trust(tenant, above.certificate)
        name = HOSTS.format(tenant=tenant)
        for _ in range(3):
            kept = await self._secret(name)
            pairs = {} if kept is None else _pairs(kept)
            fresh = {
                host: pair
                for host in hosts
                if (pair := pairs.get(host)) is not None and pair.lasts(now)
            }
            missing = [host for host in hosts if host not in fresh]
            fresh |= {host: host_certificate(_host(host), above, now) for host in missing}
            if not missing or await self._keep(name, kept, fresh):
                self._ended(name, fresh)
                for host, pair in fresh.items():
                    world.put_certificate(
                        f"{tenant}.tls.{host}", certificate=pair.certificate, key=pair.key
                    )
                return

    async def forget_others(self, tenants: Collection[str]) -> None:
        """Removes keys of all tenants but these: nobody needs them any more, and nobody should have
        them."""
        kept = {form.format(tenant=each) for each in tenants for form in (AUTHORITY, HOSTS)}
        forms = tuple(form.format(tenant="") for form in (AUTHORITY, HOSTS))
        # A credential may be called so too: those are their owners'.
        own = ",".join(f"{key}={value}" for key, value in _MANAGED.items())
        selector = f"{own},!{CREDENTIAL_LABEL}"
        found = await self._core.list_namespaced_secret(self._namespace, label_selector=selector)
        for name in (each.metadata.name for each in found.items):
            if name.startswith(forms) and name not in kept:
                try:
                    await self._core.delete_namespaced_secret(name, self._namespace)
                except ApiException as error:
                    if error.status != NOT_FOUND:
                        raise
                self.ends.pop(name, None)

    async def _once(self, name: str, make: Callable[[], Pair], *, above: str = "") -> Pair:
        """The pair in that Secret, made where there is none yet."""
        while True:
            kept = await self._secret(name)
            if kept is not None and _OWN in (pairs := _pairs(kept)):
                self._ended(name, {_OWN: pairs[_OWN]})
                return pairs[_OWN]
            await self._keep(name, kept, {_OWN: make()}, above=above)

    def _ended(self, name: str, pairs: Mapping[str, Pair]) -> None:
        try:
            self.ends[name] = min(int(each.ends().timestamp()) for each in pairs.values())
        except ValueError:
            # It can't be read: whoever uses it says so.
            self.ends.pop(name, None)

    async def _trust(self, tenant: str, certificate: str) -> None:
        namespace = f"agents-{tenant}"
        owners = await self._binding(namespace)
        body = client.V1ConfigMap(
            metadata=client.V1ObjectMeta(name=TRUST, labels=_MANAGED, owner_references=owners),
            data={TRUST_KEY: certificate},
        )
        try:
            found = await self._core.read_namespaced_config_map(TRUST, namespace)
            known = [each.uid for each in found.metadata.owner_references or ()]
            if (found.data or {}).get(TRUST_KEY) != certificate or any(
                each.uid not in known for each in owners
            ):
                await self._core.patch_namespaced_config_map(TRUST, namespace, body)
        except ApiException as error:
            if error.status != NOT_FOUND:
                raise
            await self._core.create_namespaced_config_map(namespace, body)

    async def _binding(self, namespace: str) -> list[client.V1OwnerReference]:
        """What lets it write there; nothing where somebody else gave it the right."""
        try:
            found = await self._rights.read_namespaced_role_binding(TRUST_BINDING, namespace)
        except ApiException as error:
            if error.status != NOT_FOUND:
                raise
            return []
        return [
            client.V1OwnerReference(
                api_version="rbac.authorization.k8s.io/v1",
                kind="RoleBinding",
                name=TRUST_BINDING,
                uid=found.metadata.uid,
            )
        ]

    async def _secret(self, name: str) -> Any:
        try:
            return await self._core.read_namespaced_secret(name, self._namespace)
        except ApiException as error:
            if error.status != NOT_FOUND:
                raise
            return None

    async def _keep(
        self, name: str, kept: Any, pairs: Mapping[str, Pair], *, above: str = ""
    ) -> bool:
        """Whether it could be written: not where another replica was first."""
        data = {"ca.crt": _encoded(above)} if above else {}
        for host, pair in pairs.items():
            data[f"{host}.crt"] = _encoded(pair.certificate)
            data[f"{host}.key"] = _encoded(pair.key)
        meta = client.V1ObjectMeta(name=name, labels=_MANAGED)
        try:
            if kept is None:
                body = client.V1Secret(metadata=meta, data=data)
                await self._core.create_namespaced_secret(self._namespace, body)
            else:
                meta.resource_version = kept.metadata.resource_version
                body = client.V1Secret(metadata=meta, data=data)
                await self._core.replace_namespaced_secret(name, self._namespace, body)
        except ApiException as error:
            if error.status != CONFLICT:
                raise
            return False
        return True


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _host(kept: str) -> str:
    """A key of a Secret has no star."""
    return f"*{kept.removeprefix('_')}" if kept.startswith("_.") else kept


def _pairs(secret: Any) -> dict[str, Pair]:
    data = {key: base64.b64decode(text).decode() for key, text in (secret.data or {}).items()}
    return {
        name: Pair(certificate=text, key=data[f"{name}.key"])
        for key, text in data.items()
        if key.endswith(".crt") and f"{(name := key.removesuffix('.crt'))}.key" in data
    }
