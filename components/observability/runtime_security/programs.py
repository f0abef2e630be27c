"""Programs and files that detections speak of."""

from __future__ import annotations

SHELLS = ("ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "sh", "tcsh", "zsh")

TOOL_RUNNERS = ("claude", "codex", "corral-agent", "node", "python", "python3", "tini")
"""What runs an agent's tools where a stack says nothing of it."""

LAUNCHERS = (
    *("cargo", "cmake", "ctest", "env", "find", "gcc", "gh", "git", "go", "gradle", "java", "make"),
    *("mvn", "ninja", "node", "npm", "npx", "pip", "pip3", "pnpm", "pre-commit", "pytest"),
    *("python", "python3", "ruby", "rustc", "sudo", "timeout", "tox", "uv", "xargs", "yarn"),
)
"""What starts shells all day in the course of building and testing."""

NAMESPACE_MAKERS = ("bwrap", "chrome", "chromium", "headless_shell")
"""What puts its own children into namespaces: sandboxes within the sandbox."""

RUNC = ("runc", "runc:[0:PARENT]", "runc:[1:CHILD]", "runc:[2:INIT]")
"""What runc calls itself while it prepares a container, inside of it."""

DEBUGGERS = ("delve", "dlv", "gdb", "lldb", "lldb-server", "rr", "strace")

AUTHENTICATORS = ("chpasswd", "login", "passwd", "su", "sudo", "unix_chkpwd")

TEXT_READERS = (
    *("awk", "base64", "cat", "cp", "curl", "cut", "dd", "grep", "head", "less", "more", "nc"),
    *("od", "sed", "sort", "strings", "tail", "tee", "vi", "vim", "wget", "xxd"),
)
"""What opens a file to show or to send it. Anything else opens /etc/passwd to learn names of users.
"""

ACCOUNT_FILES = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/sudoers")
SECRET_ACCOUNT_FILES = (
    *("/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers"),
)
ACCOUNT_FOLDERS = ("/etc/pam.d", "/etc/sudoers.d")

TOKEN_FOLDERS = (
    "/var/run/secrets/kubernetes.io",
    "/run/secrets/kubernetes.io",
    "/var/run/secrets/eks.amazonaws.com",
    "/run/secrets/eks.amazonaws.com",
    "/var/run/secrets/pods.eks.amazonaws.com",
)
"""Where a pod's identities would be. No sandbox has any: one that is read came from somewhere."""

CREDENTIALS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("/.git-credentials",): ("git", "git-credential-store", "git-remote-https"),
    ("/.netrc",): ("curl", "git-remote-https", "pip", "pip3", "uv", "wget"),
    ("/.aws/credentials", "/.aws/config"): ("aws",),
    ("/.docker/config.json",): ("buildah", "docker", "podman", "skopeo"),
    ("/.kube/config",): ("helm", "kubectl"),
    ("/.config/gh/hosts.yml",): ("gh",),
    ("/.ssh/id_rsa", "/.ssh/id_ecdsa", "/.ssh/id_ed25519"): ("ssh", "ssh-add", "ssh-agent"),
}
"""Ends of paths, and the programs that they are for."""

SOCKETS = (
    *("/docker.sock", "/containerd.sock", "/crio.sock", "/podman.sock", "/buildkitd.sock"),
    "/kubelet.sock",
)
"""Whoever reaches one of these owns the node."""

METADATA_ADDRESSES = ("169.254.0.0/16", "fd00:ec2::/32")
CONTROL_PORTS = (2375, 2376, 2379, 2380, 6443, 10250, 10255, 10256, 10257, 10259)
"""Docker, etcd, the API server, kubelets, and what watches over them."""

NAMESPACE_SYSCALLS = (
    *("unshare", "setns", "pivot_root", "mount", "umount", "umount2"),
    *("open_tree", "move_mount", "fsopen", "fsmount"),
)
NAMESPACE_FLAGS = (
    *("CLONE_NEWUSER", "CLONE_NEWNS", "CLONE_NEWPID", "CLONE_NEWNET", "CLONE_NEWCGROUP"),
    *("CLONE_NEWIPC", "CLONE_NEWUTS"),
)
CLONES = ("clone", "clone3")
KERNEL_SYSCALLS = (
    *("init_module", "finit_module", "delete_module", "bpf", "kexec_load", "kexec_file_load"),
)
MEMORY_SYSCALLS = ("process_vm_readv", "process_vm_writev")
PTRACE_REQUESTS = (
    *("PTRACE_ATTACH", "PTRACE_SEIZE", "PTRACE_POKETEXT", "PTRACE_POKEDATA", "PTRACE_SETREGS"),
)
