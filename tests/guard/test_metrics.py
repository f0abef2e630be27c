"""The same figures for Prometheus: text and registry."""

from __future__ import annotations

import subprocess

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from corral_guard import busy, watch
from corral_guard.books import MAX_CALLS, OTHER, Figures
from corral_guard.document import Pod
from corral_guard.figures import exposition, families
from corral_guard.process import process
from corral_guard.prometheus import GuardCollector
from tests.guard.test_document import a_status
from tests.guard.test_surroundings import program
from tests.observability.programs import promtool


def read(text: str) -> dict[tuple[str, str], float]:
    """By name and label's value."""
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def a_pod() -> Pod:
    """Of two processes with a call in common."""
    first = a_status(1, phase="busy", phase_seconds=7.0, beats=3, beat_seconds=0.5)
    second = a_status(2, phase="idle", beats=4, beat_seconds=9.0, safe_point_seconds=60.0)
    return Pod((first, second._replace(calls={"plan": Figures(1, 0, 50, 50)})), 0)


def test_a_pod_is_one_set_of_figures() -> None:
    found = read(exposition(a_pod()).decode())
    assert found["corral_guard_phase", "busy"] == 1
    assert found["corral_guard_phase", "idle"] == 0
    assert found["corral_guard_phase_seconds", ""] == 7
    assert found["corral_guard_beats_total", ""] == 7
    assert found["corral_guard_beat_age_seconds", ""] == 0.5
    assert found["corral_guard_safe_point_age_seconds", ""] == 60
    assert found["corral_guard_resident_bytes", ""] == 2 << 20
    assert found["corral_guard_calls_total", "plan"] == 3
    assert found["corral_guard_calls_over_limits_total", "plan"] == 1
    assert found["corral_guard_growth_bytes_total", "plan"] == 350
    assert found["corral_guard_largest_growth_bytes", "plan"] == 200


def test_what_never_happened_has_no_age() -> None:
    names = {name for name, _ in read(exposition(Pod((a_status(),), 0)).decode())}
    assert "corral_guard_beat_age_seconds" not in names
    assert "corral_guard_safe_point_age_seconds" not in names


def test_a_registry_shows_what_the_text_shows() -> None:
    with watch("fill"), busy():
        pass
    registry = CollectorRegistry()
    registry.register(GuardCollector())
    by_registry = read(generate_latest(registry).decode())
    by_text = read(exposition(Pod((process.status(),), 0)).decode())
    assert by_registry.keys() == by_text.keys()
    steady = {key for key in by_text if "seconds" not in key[0] and "resident" not in key[0]}
    assert {key: by_registry[key] for key in steady} == {key: by_text[key] for key in steady}


def test_labels_stay_few_however_many_processes_say_something_else() -> None:
    processes = tuple(
        a_status(number)._replace(
            calls={f"{number}-{call}": Figures(1, 0, 1, 1) for call in range(MAX_CALLS)}
        )
        for number in range(16)
    )
    for family in families(Pod(processes, 0)):
        assert len(family.samples) <= MAX_CALLS
    found = read(exposition(Pod(processes, 0)).decode())
    assert found["corral_guard_calls_total", OTHER] == 16 * MAX_CALLS - (MAX_CALLS - 1)


def test_promtool_has_nothing_to_say() -> None:
    done = subprocess.run(
        [str(promtool()), "check", "metrics"],
        input=exposition(a_pod()),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_without_prometheus_client_all_but_its_own_module_works() -> None:
    done = program(
        "import sys\n"
        "sys.modules['prometheus_client'] = None\n"
        "import corral_guard.figures, corral_guard.__main__\n"
        "try:\n"
        "    import corral_guard.prometheus\n"
        "except ImportError:\n"
        "    print('absent')\n"
    )
    assert (done.returncode, done.stdout) == (0, "absent\n"), done.stderr
