"""The PriorityClass of one agent class."""

from __future__ import annotations

from components.documents import Document, metadata

FLOOR = 1000
"""What an agent class of priority 0 gets: above pods without a class, far below the system's."""


def priority_class_name(class_name: str) -> str:
    """`agent-<class>`: what a sandbox of that class names as its priorityClassName."""
    return f"agent-{class_name}"


def priority_class_document(class_name: str, priority: int) -> Document:
    """The PriorityClass for an agent class's priority (0 to 1000).

    It decides who is placed first when room is scarce. It never evicts: a sandbox may hold hours
    of an agent's work.
    """
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": metadata(priority_class_name(class_name)),
        "description": f"Sandboxes of the agent class {class_name}",
        "value": FLOOR + priority,
        "preemptionPolicy": "Never",
    }
