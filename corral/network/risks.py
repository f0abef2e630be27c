"""What stays a risk of a way that is open, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

UPLOADS: Mapping[str, str] = {
    "api.github.com": "repositories, gists and issues can be written with anybody's token",
    "github.com": "anybody's repositories can be pushed to with anybody's token",
    "gist.github.com": "anybody's gists can be written",
    "gitlab.com": "anybody's repositories can be pushed to with anybody's token",
    "bitbucket.org": "anybody's repositories can be pushed to with anybody's token",
    "registry.npmjs.org": "packages can be published with anybody's token",
    "upload.pypi.org": "packages can be published with anybody's token",
    "huggingface.co": "anybody's repositories can be written with anybody's token",
    "s3.amazonaws.com": "anybody's buckets can be written with anybody's key",
    "storage.googleapis.com": "anybody's buckets can be written with anybody's key",
    "slack.com": "anybody's workspace can be written to",
    "api.openai.com": "files can be put into anybody's account with anybody's key",
    "api.anthropic.com": "files can be put into anybody's account with anybody's key",
}
"""Hosts that take data for accounts of their callers; and what lies below them."""

WRITES = ("POST", "PUT", "PATCH", "DELETE")

PASSTHROUGH, PLAIN, INSPECTED = "passthrough", "plain", "inspected"
WILDCARD, CREDENTIAL, WEBSOCKETS, UNFENCED = "wildcard", "credential", "websockets", "unfenced"
MIRROR = "mirror"
CAN_WRITE, READS_ONLY = "can-write", "reads-only"


def risks(host: str, traits: frozenset[str]) -> Iterator[str]:
    """Of an open way to that host."""
    if PASSTHROUGH in traits:
        yield (
            "TLS passes through unread: names and ports are all that is judged. Method, path and "
            f"the Host inside are whatever the sandbox likes; where {host} is served by a CDN that "
            "allows it, a Host inside can lead to another customer's site (domain fronting). "
            "`inspect` closes that."
        )
    if PLAIN in traits:
        yield "On port 80 everybody on the path reads what is sent, and can change what comes back."
    if CAN_WRITE in traits:
        known = _upload(host)
        yield (
            f"It is a way out: whatever a sandbox can read, it can send to {host}"
            + (f" ({known})" if known else ", and whoever runs it keeps that")
            + "."
        )
    if READS_ONLY in traits:
        yield (
            "Requests that only read carry data out too, in their paths and queries, to whoever "
            f"reads the logs of {host}."
        )
    if WILDCARD in traits:
        yield (
            f"The wildcard that {host} fits covers every name beside it: whoever can get one there "
            "(a bucket, a site, a subdomain that nobody uses any more) can be reached, and the "
            "names themselves carry data to whoever answers DNS for them."
        )
    if CREDENTIAL in traits:
        yield (
            "No sandbox holds the credential, but each may use it for all that the list's methods "
            "and paths allow: give it no more rights than that, and a limit on what it can spend."
        )
    if INSPECTED in traits:
        yield "The gateway reads these requests in the clear: it is trusted with what is in them."
    if MIRROR in traits:
        yield (
            "Packages are programs of whoever may publish them: what installs one runs it. The "
            "mirror serves what the registry had, and holds nothing of it back."
        )
    if WEBSOCKETS in traits:
        yield "A WebSocket is judged where it starts; what goes through it after that isn't."
    if UNFENCED in traits:
        yield (
            "Without Calico nothing denies by name: a node and the pods on it always reach each "
            "other, and the fence around the gateway is as good as the cluster's network plugin."
        )


NO_RISK = (
    "Addresses shared with other sites (CDNs) open nothing: the gateway goes by names, resolves "
    "them itself and takes no address from a sandbox."
)
"""What is asked often enough to be said."""


def _upload(host: str) -> str:
    for known, why in UPLOADS.items():
        if host == known or host.endswith(f".{known}"):
            return why
    return ""
