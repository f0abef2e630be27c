"""Tenants of these tests."""

from __future__ import annotations

from typing import Any

ACME, OTHER, UNLISTED, HASTY, PATIENT, FUZZED = range(1, 7)
"""Their numbers."""

LONG = ".".join([*["l" * 60] * 3, "x" * 40, "long.example.org"])

TENANTS: dict[str, dict[str, Any]] = {
    "acme": {
        "number": ACME,
        "allow": [
            {"host": "api.github.com"},
            {"host": "*.pypi.org"},
            {"host": "deep.tree.example.org", "ports": [80, 443]},
            {"host": LONG},
        ],
    },
    "other": {"number": OTHER, "allow": [{"host": "only-other.example.org"}]},
    "unlisted": {"number": UNLISTED},
    "hasty": {"number": HASTY, "allow": [{"host": "api.github.com"}]},
    "patient": {"number": PATIENT, "allow": [{"host": "api.github.com"}]},
    "fuzzed": {"number": FUZZED, "allow": [{"host": "api.github.com"}, {"host": "*.pypi.org"}]},
}

ANSWERS = {"hasty": 50, "acme": 100_000, "fuzzed": 1_000_000}
"""Budgets that aren't the usual one."""
