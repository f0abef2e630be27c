"""All rules of a stack, and their documents."""

from __future__ import annotations

from components.documents import Document
from components.observability.place import ObservabilityPlace
from components.observability.rules.platform import platform_groups
from components.observability.rules.rule import Group, prometheus_rules
from components.observability.rules.sandbox_cpu import cpu_rules
from components.observability.rules.sandbox_disk import disk_rules
from components.observability.rules.sandbox_ends import end_rules
from components.observability.rules.sandbox_leaks import leak_rules
from components.observability.rules.sandbox_life import life_rules
from components.observability.rules.sandbox_memory import memory_rules
from components.observability.rules.sandbox_processes import process_rules
from components.observability.rules.sandboxes_known import known_sandboxes
from components.observability.rules.thresholds import threshold_groups
from components.observability.rules.work_supply import supply_rules


def sandbox_groups(place: ObservabilityPlace) -> list[Group]:
    """Rules about sandboxes, what they stand on first."""
    return [
        *threshold_groups(place),
        known_sandboxes(),
        memory_rules(place),
        cpu_rules(place),
        disk_rules(place),
        leak_rules(place),
        process_rules(),
        end_rules(),
        life_rules(),
        supply_rules(place),
    ]


def rule_groups(place: ObservabilityPlace) -> list[Group]:
    """Every group of the stack, in the order in which one builds on another."""
    return [*sandbox_groups(place), *platform_groups(place)]


def rule_documents(place: ObservabilityPlace) -> list[Document]:
    """One PrometheusRule for each group."""
    return prometheus_rules(rule_groups(place), runbooks=place.observability.runbooks)
