"""A network namespace of one's own, as root or in a user namespace."""

from __future__ import annotations

import shutil
import subprocess


class NamespaceAbsent(Exception):
    """Why none can be had here."""


def in_a_namespace() -> list[str]:
    """The command that runs another one there. Raises NamespaceAbsent."""
    unshare = shutil.which("unshare")
    for options in (["-n"], ["-U", "-r", "-n"]):
        if (
            unshare
            and not subprocess.run(
                [unshare, *options, "true"], capture_output=True, check=False
            ).returncode
        ):
            return [unshare, *options]
    raise NamespaceAbsent("no network namespace can be made here (unshare -n, unshare -Urn)")
