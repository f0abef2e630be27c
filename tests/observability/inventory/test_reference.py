"""docs/metrics.md is the inventory."""

from __future__ import annotations

from components.observability.inventory import reference
from components.observability.inventory.inventory import all_metrics


def test_the_document_is_what_the_inventory_says() -> None:
    assert reference.FILE.read_text(encoding="utf-8") == reference.text(), "make reference"


def test_it_holds_each_metric_once() -> None:
    text = reference.text()
    for each in all_metrics():
        selector = each.name + (f"{{{', '.join(each.matchers)}}}" if each.matchers else "")
        assert f"| `{selector}` {each.kind} |" in text
