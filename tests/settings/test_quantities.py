"""CPU, memory and disk as Kubernetes writes them."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.settings.quantities import (
    BYTES_PATTERN,
    CPU_PATTERN,
    bytes_text,
    cpu_text,
    parse_bytes,
    parse_cpu,
)

KIBIBYTES = st.integers(min_value=1, max_value=10**9 - 1)


@pytest.mark.parametrize(
    ("written", "millicores"),
    [
        (2, 2000),
        ("2", 2000),
        (2.0, 2000),
        (1.5, 1500),
        ("1.5", 1500),
        (0.001, 1),
        ("1m", 1),
        ("500m", 500),
        ("0.250", 250),
        (0.29, 290),
        (1.001, 1001),
        (9999.999, 9999999),
        ("999999m", 999999),
        ("007m", 7),
    ],
)
def test_cpu_is_read_exactly(written: object, millicores: int) -> None:
    assert parse_cpu(written) == millicores


@pytest.mark.parametrize(
    "written",
    [
        *(0, 0.0, -1, -0.5, "0", "0m", "0.000", 10_000, 10**30, 1e-4, 1.0001, 1e300),
        *(float("nan"), float("inf"), float("-inf"), True, None, [], {}, b"2", Decimal(2)),
        *("", " 2", "2 ", "2\n", "500m\n", "1.5m", "1e3", "0x2", "+2", "2c", "1_0", "1,5", ".5"),
        *("\uff11", "5.", "1.2345", "12345", "1234567m", "nan"),
    ],
    ids=repr,
)
def test_what_is_no_cpu_quantity_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="CPU quantity"):
        parse_cpu(written)


def test_a_number_too_long_to_print_is_refused_all_the_same() -> None:
    with pytest.raises(ValueError, match="CPU quantity"):
        parse_cpu(10**5000)


@pytest.mark.parametrize(
    ("written", "size"),
    [("1Ki", 2**10), ("512Mi", 2**29), ("4Gi", 2**32), ("1Ti", 2**40), ("04Gi", 2**32)],
)
def test_a_size_is_read(written: str, size: int) -> None:
    assert parse_bytes(written) == size


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "4",
            "4G",
            "4gi",
            "4 Gi",
            " 4Gi",
            "4Gi ",
            "4Gi\n",
            "1.5Gi",
            "-4Gi",
            "4GiB",
            "Gi",
            "0Gi",
        ),
        *(
            "4Pi",
            "4Ei",
            "1e3Mi",
            "1234567Ti",
            "1234567890Gi",
            "\uff14Gi",
            4,
            4.0,
            True,
            None,
            b"4Gi",
        ),
    ],
    ids=repr,
)
def test_what_is_no_size_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="binary unit"):
        parse_bytes(written)


@given(st.integers(min_value=1, max_value=999_999))
def test_cpu_reads_back_as_it_was_written(millicores: int) -> None:
    assert parse_cpu(cpu_text(millicores)) == millicores
    assert parse_cpu(f"{millicores}m") == millicores
    assert parse_cpu(millicores / 1000) == millicores, "as a number of three decimals too"


@given(KIBIBYTES)
def test_a_size_reads_back_as_it_was_written(kibibytes: int) -> None:
    assert parse_bytes(bytes_text(kibibytes * 2**10)) == kibibytes * 2**10


@given(st.from_regex(CPU_PATTERN, fullmatch=True) | st.text(max_size=8))
def test_the_pattern_that_editors_check_is_what_is_read_as_cpu(text: str) -> None:
    if re.fullmatch(CPU_PATTERN, text):
        assert parse_cpu(text) > 0
    else:
        with pytest.raises(ValueError, match="CPU quantity"):
            parse_cpu(text)


@given(st.from_regex(BYTES_PATTERN, fullmatch=True) | st.text(max_size=8))
def test_the_pattern_that_editors_check_is_what_is_read_as_a_size(text: str) -> None:
    if re.fullmatch(BYTES_PATTERN, text):
        assert 0 < parse_bytes(text) < 2**63, "Kubernetes keeps sizes in 64 bits"
    else:
        with pytest.raises(ValueError, match="binary unit"):
            parse_bytes(text)
