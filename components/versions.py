"""Every version that the program depends on, exact. Nothing floats."""

from __future__ import annotations

KUBERNETES = "1.36.3"
"""The Kubernetes release that the platform is built and tested against."""


def kubernetes_minor() -> str:
    """`v1.36`: how Pod Security names the rules of that release."""
    major, minor, _ = KUBERNETES.split(".")
    return f"v{major}.{minor}"
