"""Runs the attacker beside a resolver, in the namespace that this is started in:
`python -m tests.network.explain.beside RESOLVER COREFILE PORT SCRIPT ORDER`."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path

SECONDS = 30


def main(resolver: str, corefile: str, port: str, script: str, order: str) -> int:
    """The attacker's exit code."""
    ip = next(path for path in ("/sbin/ip", "/usr/sbin/ip", "/bin/ip") if Path(path).exists())
    subprocess.run([ip, "link", "set", "lo", "up"], check=True)
    process = subprocess.Popen([resolver, "-conf", corefile], stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
                return subprocess.run([sys.executable, script, order], check=False).returncode
            time.sleep(0.05)  # it tells nobody that it listens
        return 1
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
