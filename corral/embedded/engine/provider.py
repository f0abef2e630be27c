"""Which cluster a Kubernetes provider resource of the program means."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from corral.embedded.engine.registration import UNKNOWN, Document


def other_cluster(inputs: Document, server: str) -> str | None:
    """Why a provider with these inputs can't be used by an engine that applies to `server`; None
    where it names the same cluster, none at all, or one that isn't known yet.

    The engine has one client. A program that spreads over two clusters would have all its objects
    end in one of them.
    """
    kubeconfig, context = inputs.get("kubeconfig"), inputs.get("context")
    if UNKNOWN in (kubeconfig, context) or not (kubeconfig or context or inputs.get("cluster")):
        return None
    document = _document(kubeconfig)
    named = _server(document, context, inputs.get("cluster")) if document else None
    if named is None:
        return (
            "its kubeconfig can't be read, or has no such context. The embedded engine has to "
            f"know that it means {server}"
        )
    if named.rstrip("/") != server.rstrip("/"):
        return (
            f"it means the cluster at {named}, but this run applies to {server}. The embedded "
            "engine serves one cluster per run"
        )
    return None


def _document(kubeconfig: Any) -> dict[str, Any] | None:
    """The parsed kubeconfig: given as its text, as a path, or not at all (then kubectl's)."""
    text = str(kubeconfig) if kubeconfig else None
    try:
        if text is None or ("\n" not in text.strip() and not text.lstrip().startswith("{")):
            given = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
            file = text or given or "~/.kube/config"
            text = Path(file).expanduser().read_text(encoding="utf-8")
        document = yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return document if isinstance(document, dict) else None


def _server(document: dict[str, Any], context: Any, cluster: Any) -> str | None:
    chosen = _named(document, "contexts", context or document.get("current-context"))
    name = cluster or (chosen or {}).get("context", {}).get("cluster")
    found = _named(document, "clusters", name)
    server = (found or {}).get("cluster", {}).get("server")
    return server if isinstance(server, str) else None


def _named(document: dict[str, Any], section: str, name: Any) -> dict[str, Any] | None:
    entries = document.get(section)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry
    return None
