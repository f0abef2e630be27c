"""What runs in the sandboxes of the tests: an agent's tool runner at work, or an attacker in it."""

import contextlib
import ctypes
import os
import socket
import subprocess
import sys
from pathlib import Path

WORK = """
mkdir -p /tmp/home /tmp/p && cd /tmp/p
git init -q . && printf 'def add(a, b):\\n    return a + b\\n' > calc.py
printf 'import calc, unittest\\nclass T(unittest.TestCase):\\n' > test_calc.py
printf '    def test_add(self):\\n        self.assertEqual(calc.add(1, 2), 3)\\n' >> test_calc.py
git add . && git -c user.email=a@example.org -c user.name=agent commit -qm first
git log --oneline | head -1; git status --short; git diff
python3 -m unittest -q test_calc
printf 'all: hello\\n\\t./hello\\nhello: hello.c\\n\\tcc -o hello hello.c\\n' > Makefile
printf '#include <stdio.h>\\nint main(void){puts("hi");return 0;}\\n' > hello.c
make; ./hello
printf '#!/bin/sh\\necho built\\n' > build.sh && chmod +x build.sh && ./build.sh
find / -maxdepth 2 -name '*.conf' 2> /dev/null | head -5
grep -rn return . | wc -l
tar czf /tmp/p.tgz . && tar tzf /tmp/p.tgz | wc -l
python3 -c "import getpass, os, pwd; pwd.getpwuid(os.getuid())"
node -e "require('child_process').execSync('echo from node')"
curl -s -m 1 https://10.96.0.10/ ; curl -s -m 1 -x http://10.96.0.10:3128 http://example.org/
ls -la ~ /etc > /dev/null; (sleep 0.1; sh -c 'echo late') & wait
bash -c 'for i in 1 2 3; do bash -c "echo $i" | sed s/1/2/; done'
"""


def attacks() -> None:
    """One of each kind that can be tried from within a sandbox without a network."""
    libc = ctypes.CDLL(None, use_errno=True)
    subprocess.run(["/bin/cat", "/etc/shadow"], capture_output=True, check=False)
    with contextlib.suppress(OSError):
        os.close(os.open("/etc/passwd", os.O_WRONLY | os.O_APPEND))
    os.chdir("/etc")
    with contextlib.suppress(OSError):
        os.close(os.open("../etc/./gshadow", os.O_RDONLY))
    with contextlib.suppress(OSError):
        os.close(os.open("/root", os.O_RDONLY | os.O_DIRECTORY))
    credentials = Path("/tmp/home/.aws/credentials")
    credentials.parent.mkdir(parents=True, exist_ok=True)
    credentials.write_text("none", encoding="utf-8")
    with contextlib.suppress(OSError):
        os.close(os.open("/var/run/secrets/kubernetes.io/serviceaccount/token", os.O_RDONLY))
    for address in (("169.254.169.254", 80), ("10.0.0.9", 10250), ("10.0.0.9", 22)):
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.settimeout(1)
            tried.connect(address)
    with socket.socket(socket.AF_UNIX) as tried, contextlib.suppress(OSError):
        tried.connect("/run/containerd/containerd.sock")
    libc.unshare(0x10000000)
    libc.syscall(175, None, 0, None)  # init_module
    child = os.fork()
    if not child:
        os.execv("/bin/sleep", ["sleep", "5"])  # noqa: S606 - to have somebody to trace
    libc.ptrace(16, child, None, None)
    libc.ptrace(17, child, None, None)
    os.kill(child, 9)
    os.waitpid(child, 0)


if __name__ == "__main__":
    if sys.argv[1] == "work":
        # As sandboxes do: what searches everything stops at /root.
        os.setgroups([])
        os.setresgid(10001, 10001, 10001)
        os.setresuid(10001, 10001, 10001)
        subprocess.run(["/bin/bash", "-c", WORK], check=False)
    else:
        attacks()
