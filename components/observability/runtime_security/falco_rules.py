"""Falco's rules, from the detections; and which of its own rules are heard beside them.

Falco's stock rules are loaded, all silenced, and those chosen here are given their voice back: what
another release adds is silent until somebody has decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from components.observability.runtime_security.detections import Detection, Event
from corral.policy.steering import CLASS_LABEL
from corral.settings.tenants import NAMESPACE_PREFIX

ENGINE = "0.57.0"
"""Version of Falco's rule language: that of falco-rules 5.1.0."""
CONTAINER_PLUGIN = "0.6.0"
"""Of the plug-in whose fields say which container and pod it is: the least that has them."""

RULE_PREFIX = "corral "
TAG = "corral"

SANDBOX = "corral_sandbox"

STOCK = {
    "Netcat Remote Code Execution in Container": "no agent's work needs it",
    "Redirect STDOUT/STDIN to Network Connection in Container": "what a reverse shell looks like",
    "Detect release_agent File Container Escapes": "a way out of the container",
    "Debugfs Launched in Privileged Container": "a way to the node's disk",
    "Linux Kernel Module Injection Detected": "a way into the node's kernel",
    "Packet socket created in container": "listening to others' traffic",
    "Execution from /dev/shm": "memory that runs as a program",
    "Fileless execution via memfd_create": "the same, without a name",
    "PTRACE anti-debug attempt": "what hides from who looks",
    "Create Symlink Over Sensitive Files": "what gets around rules that go by paths",
    "Create Hardlink Over Sensitive Files": "the same",
}
"""Rules of falco-rules 5.1.0 that are heard, and why."""

SILENCED = {
    "Drop and execute new binary in container": "compiling and running it is an agent's work",
    "Terminal shell in container": "shell-outside-tool-runner knows who may start one",
    "Run shell untrusted": "the same",
    "Read sensitive file untrusted": "shadow-file-read knows our sandboxes, and failed attempts",
    "Read sensitive file trusted after startup": "the same",
    "Directory traversal monitored file read": "paths with ../ are all over builds",
    "System user interactive": "sandboxes have one user",
    "Contact K8S API Server From Container": "unusual-destination; names aren't resolved by Falco",
    "Search Private Keys or Passwords": "agents search through their code by grep all day",
    "Clear Log Activities": "agents remove logs of their builds",
    "Remove Bulk Data from Disk": "agents remove what they built",
    "PTRACE attached to process": "process-traced knows who may",
    "Find AWS Credentials": "agents search through their code by grep all day",
    "Disallowed SSH Connection Non Standard Port": "unusual-destination",
}
"""Rules of falco-rules 5.1.0 that aren't, and why."""

_EVENTS = {
    Event.EXEC: "evt.type in (execve, execveat)",
    Event.OPEN: "evt.type in (open, openat, openat2, creat)",
    Event.CONNECT: 'evt.type = connect and fd.typechar in ("4", "6")',
    Event.UNIX: 'evt.type = connect and fd.typechar = "u"',
    Event.PTRACE: "evt.type = ptrace",
}
_FIELDS = {
    "namespace": "k8s.ns.name",
    "pod": "k8s.pod.name",
    "agent_class": f"k8s.pod.label[{CLASS_LABEL}]",
    "container": "container.id",
    "program": "proc.name",
    "parent": "proc.pname",
    "path": "fs.path.name",
    "connection": "fd.name",
    "call": "evt.type",
}
"""What each message says. Command lines aren't among it: agents have secrets in them."""


def rules_document(found: Iterable[Detection]) -> list[dict[str, Any]]:
    """The rules file, as data."""
    return [
        {"required_engine_version": ENGINE},
        {"required_plugin_versions": [{"name": "container", "version": CONTAINER_PLUGIN}]},
        {
            "macro": SANDBOX,
            "condition": f"container.id != host and k8s.ns.name startswith {NAMESPACE_PREFIX!r}",
        },
        *map(_rule, found),
    ]


def rule_name(detection: Detection) -> str:
    """As Falco's label `rule_name` has it."""
    return f"{RULE_PREFIX}{detection.name}"


def tags(detection: Detection) -> list[str]:
    """What each detection is tagged with: whose it is, what it asks for, and MITRE's words."""
    return [
        TAG,
        f"response_level_{detection.level}" if detection.alerts else "counted",
        f"signal_{detection.signal}",
        f"mitre_{detection.tactic}",
        detection.technique,
    ]


def switches() -> list[Mapping[str, Any]]:
    """Falco's setting `rules`: which rules are heard."""
    return [
        {"disable": {"rule": "*"}},
        {"enable": {"tag": TAG}},
        *({"enable": {"rule": name}} for name in STOCK),
    ]


def _rule(detection: Detection) -> dict[str, Any]:
    event = _EVENTS.get(detection.event)
    if event is None:
        event = f"evt.type in ({', '.join(detection.calls)})"
    said = " ".join(f"{name}=%{field}" for name, field in _FIELDS.items())
    return {
        "rule": rule_name(detection),
        "desc": detection.title,
        "condition": f"{event} and {SANDBOX} and ({detection.when.falco()})",
        "output": f"{detection.title} | level={detection.level} {said}",
        "priority": detection.priority.value,
        "tags": tags(detection),
    }
