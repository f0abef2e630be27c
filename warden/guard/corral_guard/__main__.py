"""`python -m corral_guard status | metrics | serve`, inside a pod."""

from __future__ import annotations

import argparse
import signal
import sys

from corral_guard.directory import DEFAULT
from corral_guard.document import encode, pod_document
from corral_guard.figures import exposition
from corral_guard.process import DIRECTORY_VARIABLE, LISTEN_VARIABLE, Process


def main() -> int:
    """Exit code 2 for arguments that can't be meant, 1 where nothing can be answered."""
    parser = argparse.ArgumentParser(
        prog="python -m corral_guard",
        description="What the processes of this pod say of themselves.",
    )
    parser.add_argument(
        "what",
        choices=("status", "metrics", "serve"),
        help="print the pod's status as JSON, print it as Prometheus metrics, or answer for "
        "processes that can't do so themselves until stopped",
    )
    parser.add_argument("--directory", help=f"default: ${DIRECTORY_VARIABLE}, else {DEFAULT}")
    parser.add_argument("--listen", help=f"for serve: HOST:PORT; default: ${LISTEN_VARIABLE}")
    given = parser.parse_args()
    process = Process()
    try:
        # What asks takes no part, and doesn't listen.
        listen = given.listen if given.what == "serve" else ""
        process.start(directory=given.directory, listen=listen, publishes=False)
    except ValueError as error:
        parser.error(str(error))
    if given.what == "serve":
        return _serve(process)
    answer = encode(pod_document(process.pod())) if given.what == "status" else None
    sys.stdout.buffer.write(answer if answer is not None else exposition(process.pod()))
    process.stop()
    return 0


def _serve(process: Process) -> int:
    if process.port is None:
        sys.stderr.write("nothing to listen on: no --listen was given, or it is taken\n")
        process.stop()
        return 1
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    signal.sigwait(ends)
    process.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
