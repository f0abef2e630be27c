"""For each detection: attacks that must meet it, and benign neighbours that must not.

Fields are those of `warden/seccheck/events.py`. The neighbours differ from an attack in one thing
that is in its favour, so that each part of each condition decides about one of them.
"""

from __future__ import annotations

from typing import Any

from components.observability.runtime_security.detections import Watch, detections

CLASSES = frozenset({"worker"})
WATCH = Watch(
    tool_runners={"worker": ("node", "corral-agent"), "builder": ("codex",)},
    namespace_makers=("bwrap",),
    debuggers=("gdb",),
    ports=(53, 80, 443, 3128),
    services=("172.20.0.0/16",),
)
DETECTIONS = {each.name: each for each in detections(WATCH)}

Fields = dict[str, Any]

SHELL = {
    "program": "bash",
    "binary": "bash",
    "first": False,
    "spawner": ("nginx",),
    "ancestors": ("nginx",),
}
UNDER_RUNNER = {**SHELL, "ancestors": ("nginx", "node")}
OPEN = {"program": "python3", "opened": True, "writes": False}
CONNECT = {"program": "curl", "address": "10.1.2.3", "port": 22}
SYSCALL = {"program": "python3", "ancestors": ("node",)}

FIRES: dict[str, list[Fields]] = {
    "shell-outside-tool-runner": [
        SHELL,
        {**SHELL, "program": "innocent"},
        {**SHELL, "binary": "busybox", "program": "sh"},
        {**SHELL, "ancestors": (), "spawner": ()},
        {**SHELL, "ancestors": ("codex",)},
    ],
    "shell-by-unusual-program": [
        UNDER_RUNNER,
        {**UNDER_RUNNER, "spawner": ("codex",)},
        {**UNDER_RUNNER, "program": "innocent"},
        {**UNDER_RUNNER, "binary": "busybox", "program": "sh"},
    ],
    "account-file-written": [
        {**OPEN, "path": "/etc/passwd", "writes": True},
        {**OPEN, "path": "/etc/sudoers.d/me", "writes": True},
    ],
    "shadow-file-read": [
        {**OPEN, "path": "/etc/shadow"},
        {**OPEN, "path": "/etc/gshadow", "opened": False},
    ],
    "passwd-file-shown": [{**OPEN, "path": "/etc/passwd", "program": "cat"}],
    "root-home-opened": [{**OPEN, "path": "/root/.bash_history"}, {**OPEN, "path": "/root"}],
    "token-read": [
        {**OPEN, "path": "/var/run/secrets/kubernetes.io/serviceaccount/token"},
        {**OPEN, "path": "/run/secrets/eks.amazonaws.com/serviceaccount/token"},
    ],
    "credential-read": [
        {**OPEN, "path": "/home/agent/.aws/credentials"},
        {**OPEN, "path": "/home/agent/.git-credentials"},
        {**OPEN, "path": "/home/agent/.netrc"},
        {**OPEN, "path": "/home/agent/.docker/config.json"},
        {**OPEN, "path": "/home/agent/.kube/config"},
        {**OPEN, "path": "/home/agent/.config/gh/hosts.yml"},
        {**OPEN, "path": "/home/agent/.ssh/id_ed25519"},
    ],
    "credential-sought": [
        {**OPEN, "opened": False, "path": "/home/agent/.aws/credentials"},
        {**OPEN, "opened": False, "path": "/home/agent/.git-credentials"},
        {**OPEN, "opened": False, "path": "/home/agent/.netrc"},
        {**OPEN, "opened": False, "path": "/home/agent/.docker/config.json"},
        {**OPEN, "opened": False, "path": "/home/agent/.kube/config"},
        {**OPEN, "opened": False, "path": "/home/agent/.config/gh/hosts.yml"},
        {**OPEN, "opened": False, "path": "/home/agent/.ssh/id_ed25519"},
        {**OPEN, "opened": False, "path": "/run/secrets/kubernetes.io/serviceaccount/token"},
    ],
    "metadata-contacted": [
        {**CONNECT, "address": "169.254.169.254", "port": 80},
        {**CONNECT, "address": "fd00:ec2::254", "port": 80},
        {**CONNECT, "address": "::ffff:169.254.169.254", "port": 80},
    ],
    "control-plane-contacted": [{**CONNECT, "port": 10250}],
    "unusual-destination": [
        CONNECT,
        {**CONNECT, "port": 443},
        {**CONNECT, "address": "172.20.0.9"},
    ],
    "container-socket-contacted": [
        {"program": "curl", "socket": "/var/run/docker.sock"},
        {"program": "ctr", "socket": "/run/containerd/containerd.sock"},
    ],
    "namespace-changed": [
        {**SYSCALL, "syscall": "unshare"},
        {**SYSCALL, "syscall": "mount", "ancestors": ()},
        {**SYSCALL, "syscall": "clone", "flags": ("CLONE_NEWUSER",)},
        {**SYSCALL, "syscall": "setns", "program": "runc:[2:INIT]"},
    ],
    "kernel-touched": [{**SYSCALL, "syscall": "init_module"}, {**SYSCALL, "syscall": "bpf"}],
    "process-traced": [{**SYSCALL, "request": "PTRACE_ATTACH"}],
    "process-memory-read": [{**SYSCALL, "syscall": "process_vm_readv"}],
}

SILENT: dict[str, list[Fields]] = {
    "shell-outside-tool-runner": [
        UNDER_RUNNER,
        {**SHELL, "first": True},
        {**SHELL, "program": "make", "binary": "make"},
    ],
    "shell-by-unusual-program": [
        {**UNDER_RUNNER, "spawner": ("corral-agent",)},
        {**UNDER_RUNNER, "spawner": ("bash",)},
        {**UNDER_RUNNER, "spawner": ("make",)},
        {**UNDER_RUNNER, "first": True},
        {**UNDER_RUNNER, "program": "make", "binary": "make"},
    ],
    "account-file-written": [
        {**OPEN, "path": "/etc/passwd"},
        {**OPEN, "path": "/etc/hosts", "writes": True},
        {**OPEN, "path": "/home/agent/etc/passwd", "writes": True},
    ],
    "shadow-file-read": [
        {**OPEN, "path": "/etc/passwd"},
        {**OPEN, "path": "/etc/shadow", "program": "unix_chkpwd"},
        {**OPEN, "path": "/etc/shadow", "writes": True},
    ],
    "passwd-file-shown": [
        {**OPEN, "path": "/etc/passwd"},
        {**OPEN, "path": "/etc/hostname", "program": "cat"},
    ],
    "root-home-opened": [
        {**OPEN, "path": "/root", "opened": False},
        {**OPEN, "path": "/rootfs/a"},
    ],
    "token-read": [
        {**OPEN, "path": "/run/secrets/kubernetes.io/token", "opened": False},
        {**OPEN, "path": "/workspace/token"},
    ],
    "credential-read": [
        {**OPEN, "path": "/home/agent/.aws/credentials", "program": "aws"},
        {**OPEN, "path": "/home/agent/.git-credentials", "program": "git"},
        {**OPEN, "path": "/home/agent/.netrc", "program": "curl"},
        {**OPEN, "path": "/home/agent/.docker/config.json", "program": "docker"},
        {**OPEN, "path": "/home/agent/.kube/config", "program": "kubectl"},
        {**OPEN, "path": "/home/agent/.config/gh/hosts.yml", "program": "gh"},
        {**OPEN, "path": "/home/agent/.ssh/id_ed25519", "program": "ssh"},
        {**OPEN, "path": "/home/agent/.aws/credentials", "opened": False},
        {**OPEN, "path": "/workspace/main.py"},
    ],
    "credential-sought": [
        {**OPEN, "opened": False, "path": "/home/agent/.aws/credentials", "program": "aws"},
        {**OPEN, "opened": False, "path": "/home/agent/.git-credentials", "program": "git"},
        {**OPEN, "opened": False, "path": "/home/agent/.netrc", "program": "curl"},
        {**OPEN, "opened": False, "path": "/home/agent/.docker/config.json", "program": "docker"},
        {**OPEN, "opened": False, "path": "/home/agent/.kube/config", "program": "kubectl"},
        {**OPEN, "opened": False, "path": "/home/agent/.config/gh/hosts.yml", "program": "gh"},
        {**OPEN, "opened": False, "path": "/home/agent/.ssh/id_ed25519", "program": "ssh"},
        {**OPEN, "path": "/home/agent/.aws/credentials"},
        {**OPEN, "opened": False, "path": "/workspace/missing.py"},
    ],
    "metadata-contacted": [CONNECT],
    "control-plane-contacted": [
        {**CONNECT, "port": 443},
        {**CONNECT, "address": "127.0.0.1", "port": 6443},
    ],
    "unusual-destination": [
        {**CONNECT, "address": "172.20.0.9", "port": 443},
        {**CONNECT, "address": "127.0.0.1"},
        {**CONNECT, "address": "169.254.169.254", "port": 80},
        {**CONNECT, "port": 10250},
    ],
    "container-socket-contacted": [{"program": "psql", "socket": "/tmp/.s.PGSQL.5432"}],
    "namespace-changed": [
        {**SYSCALL, "syscall": "unshare", "program": "bwrap"},
        {**SYSCALL, "syscall": "clone", "flags": ()},
        {**SYSCALL, "syscall": "clone", "flags": ("CLONE_VM",)},
        {**SYSCALL, "syscall": "execve", "flags": ("CLONE_NEWUSER",)},
        {**SYSCALL, "syscall": "pivot_root", "program": "runc:[2:INIT]", "ancestors": ("runc",)},
    ],
    "kernel-touched": [{**SYSCALL, "syscall": "unshare"}],
    "process-traced": [
        {**SYSCALL, "request": "PTRACE_TRACEME"},
        {**SYSCALL, "request": "PTRACE_ATTACH", "program": "gdb"},
    ],
    "process-memory-read": [
        {**SYSCALL, "syscall": "process_vm_readv", "program": "gdb"},
        {**SYSCALL, "syscall": "mount"},
    ],
}
