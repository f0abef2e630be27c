"""The collector's configuration: reads containers' files, takes secrets out, and sends the rest.

Whose a line is follows from the folder that the kubelet keeps it in, and from nothing in the line:
`/var/log/pods/<namespace>_<pod>_<uid>/<container>/<n>.log`. No line is read as JSON, so that none
has keys; what a sandbox writes is the body of a record, whatever it looks like.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from components.observability.logs.names import (
    COLLECTOR,
    EVENTS,
    EVENTS_CONTAINER,
    HEALTH_PORT,
    METRICS_PORT,
    PODS,
    STATE,
    TOKEN_FILE,
)
from components.observability.logs.patterns import PATTERNS, Pattern
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE
from corral.settings.tenants import NAMESPACE_PREFIX

Configuration = dict[str, Any]

MOST_BODY = 256 * 1024
"""Bytes of one line; the rest of it comes as another. containerd writes pieces of 16 KiB."""
MOST_REQUEST = 900_000
"""Bytes of a request: CloudWatch takes no more than a megabyte."""
MOST_WAITING = 512 * 1024 * 1024
"""Bytes that wait on the node for a destination that doesn't answer. After that nothing is read:
files stay where they are until the kubelet's rotation takes the oldest."""
MOST_RECEIVERS = 100
"""Tenants are read by so many pollers at most; beyond that several share one."""

_JOINED = (
    # Lines of a key: so that it is whole when it is looked for. Lines that only look like it are
    # joined as well, and lose nothing but their own time.
    r'body matches "^[ \t]*[A-Za-z0-9+/]{20,76}={0,2}$"'
    r' or body matches "^[ \t]*[A-Za-z0-9+/]{1,76}={1,2}$" or body matches "^[ \t]*-----END "'
    r' or body matches "^[ \t]*(Proc-Type|DEK-Info|Version|Comment): "'
)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where records go: an address of OTLP over HTTPS, and by what we are let in."""

    url: str
    region: str = ""
    """Of CloudWatch, whose requests are signed; "" where a token is shown instead."""
    group: str = ""
    stream: str = ""
    ca_file: str = ""
    """Whom to trust; the image's own authorities when empty."""


def configuration(
    destination: Destination,
    tenants: Sequence[str],
    *,
    patterns: tuple[Pattern, ...] = PATTERNS,
    pods: str = PODS,
    state: str = STATE,
    address: str = "${env:POD_IP}",
) -> Configuration:
    """All of it. `pods`, `state` and `address` are elsewhere than on a node in tests."""
    receivers = {
        name: receiver(include, exclude) for name, include, exclude in shares(tenants, pods)
    }
    signed = bool(destination.region)
    guard = "sigv4auth" if signed else "bearertokenauth"
    return {
        "extensions": {
            "file_storage": {
                "directory": state,
                "create_directory": True,
                "fsync": False,
                "compaction": {
                    "directory": state,
                    "on_start": True,
                    "on_rebound": True,
                    "cleanup_on_start": True,
                },
            },
            "health_check": {"endpoint": f"{address}:{HEALTH_PORT}"},
            guard: (
                {"region": destination.region, "service": "logs"}
                if signed
                else {"filename": TOKEN_FILE}
            ),
        },
        "receivers": receivers,
        "processors": {
            "memory_limiter": {
                "check_interval": "1s",
                "limit_percentage": 80,
                "spike_limit_percentage": 20,
            },
            "transform/whose": transform(WHOSE),
            # A line that a watcher was killed over is half of one: it goes on as text.
            "transform/events": transform(EVENT, error_mode="silent"),
            "transform/secrets": transform(redaction(patterns)),
            "transform/tidy": transform(TIDY),
        },
        "exporters": {"otlp_http": exporter(destination, guard)},
        "service": {
            "extensions": ["file_storage", "health_check", guard],
            "pipelines": {"logs": pipeline(list(receivers))},
            "telemetry": {
                # Never at debug: what it can't read it would quote.
                "logs": {"level": "warn"},
                "metrics": {"readers": [_reader(address)]},
            },
        },
    }


def pipeline(receivers: Sequence[str]) -> Configuration:
    """Whose it is first, then what is secret in it."""
    return {
        "receivers": list(receivers),
        "processors": [
            "memory_limiter",
            *(f"transform/{each}" for each in ("whose", "events", "secrets", "tidy")),
        ],
        "exporters": ["otlp_http"],
    }


def shares(tenants: Sequence[str], pods: str = PODS) -> list[tuple[str, list[str], list[str]]]:
    """Receivers: the name of each, what it reads and what it leaves to others. One poll ends when
    every file of it is read to its end: so tenants that write much hold up themselves alone. Who
    isn't known yet is read with the platform.

    How far a file was read is kept under its receiver's name: who reads a tenant doesn't change
    when another comes or goes, or all that is on the node would be sent again."""

    def of(tenant: str) -> str:
        return f"{pods}/{NAMESPACE_PREFIX}{tenant}_*/*/*.log"

    many = len(tenants) > MOST_RECEIVERS
    found: dict[str, list[str]] = {}
    for tenant in sorted(tenants):
        share = crc32(tenant.encode()) % MOST_RECEIVERS
        name = f"file_log/share-{share}" if many else f"file_log/tenant-{tenant}"
        found.setdefault(name, []).append(of(tenant))
    own = f"{pods}/{NODES_NAMESPACE}_{COLLECTOR}*/*/*.log"
    rest = [*(path for paths in found.values() for path in paths), own]
    return [
        *((name, paths, []) for name, paths in found.items()),
        ("file_log/rest", [f"{pods}/*/*/*.log"], rest),
    ]


def receiver(include: Sequence[str], exclude: Sequence[str]) -> Configuration:
    """Reads these files from their beginning, and goes on where it was before it was started."""
    return {
        "include": list(include),
        "exclude": list(exclude),
        "start_at": "beginning",
        "include_file_path": True,
        "include_file_name": False,
        # A piece of a line may end in the space that a pattern needs.
        "preserve_trailing_whitespaces": True,
        "poll_interval": "1s",
        "max_log_size": MOST_BODY,
        "storage": "file_storage",
        # Waits rather than loses: the file is still there.
        "retry_on_failure": {"enabled": True, "max_elapsed_time": "0s"},
        "operators": [
            {"type": "container", "max_log_size": MOST_BODY, "on_error": "drop_quiet"},
            {
                "type": "add",
                "field": "attributes.source",
                "value": 'EXPR(attributes["log.file.path"] + " " + attributes["log.iostream"])',
            },
            {
                "type": "recombine",
                "combine_field": "body",
                "combine_with": "\n",
                "is_first_entry": f"not ({_JOINED})",
                "source_identifier": "attributes.source",
                "max_log_size": MOST_BODY,
                "max_batch_size": 1000,
                "max_unmatched_batch_size": 1000,
                "force_flush_period": "2s",
                "overwrite_with": "oldest",
            },
        ],
    }


def exporter(destination: Destination, guard: str) -> Configuration:
    """By HTTPS, from a queue on the node's disk."""
    headers = (
        {"x-aws-log-group": destination.group, "x-aws-log-stream": destination.stream}
        if destination.group
        else {}
    )
    return {
        "logs_endpoint": destination.url,
        "compression": "gzip",
        "auth": {"authenticator": guard},
        **({"headers": headers} if headers else {}),
        "tls": {
            "min_version": "1.2",
            **({"ca_file": destination.ca_file} if destination.ca_file else {}),
        },
        "timeout": "30s",
        "retry_on_failure": {"enabled": True, "max_interval": "30s", "max_elapsed_time": "0s"},
        "sending_queue": {
            "enabled": True,
            "storage": "file_storage",
            "sizer": "bytes",
            "queue_size": MOST_WAITING,
            "block_on_overflow": True,
            "num_consumers": 4,
            "batch": {
                "flush_timeout": "1s",
                "sizer": "bytes",
                "min_size": MOST_REQUEST // 2,
                "max_size": MOST_REQUEST,
            },
        },
    }


def transform(statements: Sequence[str], *, error_mode: str = "propagate") -> Configuration:
    """What can't be done is an error that stops the record, and all behind it in its receiver:
    nothing goes on half done. So no statement may fail by what a sandbox writes."""
    return {
        "error_mode": error_mode,
        "log_statements": [{"context": "log", "statements": list(statements)}],
    }


_NAMESPACE = 'resource.attributes["k8s.namespace.name"]'
_IS_EVENT = (
    f'{_NAMESPACE} == "{NAMESPACE}"'
    f' and resource.attributes["k8s.container.name"] == "{EVENTS_CONTAINER}"'
    f' and IsMatch(resource.attributes["k8s.pod.name"], "^{EVENTS}-")'
)

WHOSE = (
    f'set(log.attributes["tenant"], {_NAMESPACE})'
    f' where IsMatch({_NAMESPACE}, "^{NAMESPACE_PREFIX}")',
    f'replace_pattern(log.attributes["tenant"], "^{NAMESPACE_PREFIX}", "")'
    ' where log.attributes["tenant"] != nil',
    'set(resource.attributes["k8s.node.name"], "${env:NODE_NAME}")',
    'set(resource.attributes["corral.tier"], "${env:TIER}")',
)
"""The tenant, of the folder's name; the tier, of the node's."""

_FIELDS = ("reason", "type", "kind", "name", "uid", "count", "reporter", "time")
EVENT = (
    f'set(log.cache["event"], ParseJSON(log.body)) where {_IS_EVENT} and IsMatch(log.body, "^{{")',
    *(
        f'set(log.attributes["event.{each}"], log.cache["event"]["{each}"])'
        ' where log.cache["event"] != nil'
        for each in _FIELDS
    ),
    'set(log.attributes["k8s.namespace.name"], log.cache["event"]["namespace"])'
    ' where log.cache["event"] != nil',
    'set(log.attributes["tenant"], log.cache["event"]["tenant"])'
    ' where log.cache["event"] != nil and log.cache["event"]["tenant"] != nil',
    'set(log.body, log.cache["event"]["note"]) where IsString(log.cache["event"]["note"])',
)
"""What our own watcher of events says: the one pod whose lines are read."""

TIDY = (
    'delete_key(log.attributes, "source")',
    'delete_key(log.attributes, "logtag")',
    'delete_key(log.attributes, "log.file.path")',
)


def redaction(patterns: Sequence[Pattern]) -> list[str]:
    """Takes every pattern out of the body, and out of what an event gives as its reason."""
    found = ['set(log.cache["small"], ToLowerCase(log.body))']
    for pattern in patterns:
        expression = _quoted(pattern.expression)
        instead = _quoted(pattern.replacement)
        needed = " or ".join(
            f'Index(log.cache["small"], {_quoted(need)}) >= 0' for need in pattern.needs
        )
        found.append(
            f"replace_pattern(log.body, {expression}, {instead})"
            + (f" where {needed}" if needed else "")
        )
        found.append(
            f'replace_pattern(log.attributes["event.reason"], {expression}, {instead})'
            ' where IsString(log.attributes["event.reason"])'
        )
    return found


def _quoted(text: str) -> str:
    """As a string of a statement, in a file where `$` begins a variable."""
    return json.dumps(text).replace("$", "$$")


def _reader(address: str) -> Mapping[str, Any]:
    return {
        "pull": {
            "exporter": {
                "prometheus": {
                    "host": address,
                    "port": METRICS_PORT,
                    "without_type_suffix": False,
                }
            }
        }
    }
