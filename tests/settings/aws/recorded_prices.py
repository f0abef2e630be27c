"""The table of list prices, from Karpenter's generated source.

`python -m tests.settings.aws.recorded_prices FILE` writes it, FILE being
pkg/providers/pricing/zz_generated.pricing_aws.go of aws/karpenter-provider-aws.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from corral.settings.aws.instances import instances
from corral.settings.aws.prices import LISTED_ON, LISTED_REGION, PRICES_FILE

_MADE = re.compile(r"// generated at (\S+?)T\S+ for ")
_REGION = re.compile(r'^\t"([a-z0-9-]+)": \{$', re.MULTILINE)
_PRICE = re.compile(r'"([a-z0-9-]+\.[a-z0-9-]+)": ([0-9]+\.[0-9]+)')


def prices_text(source: str) -> str:
    """What prices.csv should be. Raises ValueError for a source of another day or more regions."""
    made, found = _MADE.findall(source), _REGION.findall(source)
    if (made, found) != ([LISTED_ON], [LISTED_REGION]):
        raise ValueError(f"made {made} for {found}; prices.py says {LISTED_ON}, {LISTED_REGION}")
    rows = [
        f"{name},{usd.rstrip('0')}"
        for name, usd in sorted(_PRICE.findall(source))
        if name in instances()
    ]
    return "\n".join(["type,usd", *rows, ""])


if __name__ == "__main__":
    PRICES_FILE.write_text(
        prices_text(Path(sys.argv[1]).read_text(encoding="utf-8")), encoding="utf-8"
    )
    sys.stdout.write(f"{PRICES_FILE}\n")
