"""Real charts, rendered by the real Helm, where both can be had.

`CORRAL_TEST_CHARTS` is a folder of `<name>-<version>.tgz` files or of unpacked charts by name.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.charts import PinnedChart
from components.versions import KUBERNETES
from corral.embedded.engine.kubernetes_yaml import load_yaml

FOLDER = "CORRAL_TEST_CHARTS"


def rendered(
    pin: PinnedChart, values: Mapping[str, Any], *, namespace: str, into: Path
) -> list[dict[str, Any]]:
    """The chart's objects with these values; the test is skipped where chart or Helm is missing."""
    folder, helm = os.environ.get(FOLDER), shutil.which("helm")
    if folder is None or helm is None:
        pytest.skip(f"no {FOLDER}, or no helm on PATH: {pin.name}'s values are not proven here")
    chart = _chart(Path(folder), pin, into)
    told = into / "values.json"
    told.write_text(json.dumps(values), encoding="utf-8")
    done = subprocess.run(
        [
            *(helm, "template", pin.name, str(chart)),
            *("--namespace", namespace, "--values", str(told), "--kube-version", KUBERNETES),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [document for document in load_yaml(done.stdout) if document]


def packed(pins: Iterable[PinnedChart], *, into: Path) -> Path:
    """A folder of those charts as files, as `charts.source` names one; skipped as `rendered` is."""
    folder, helm = os.environ.get(FOLDER), shutil.which("helm")
    if folder is None or helm is None:
        pytest.skip(f"no {FOLDER}, or no helm on PATH: nothing is installed from charts here")
    source = into / "packed"
    for pin in pins:
        chart = _chart(Path(folder), pin, into)
        if chart.is_file():
            source.mkdir(exist_ok=True)
            shutil.copyfile(chart, source / pin.file)
            continue
        command = [helm, "package", str(chart), "--destination", str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert (source / pin.file).is_file(), "named as Helm names it"
    return source


def _chart(folder: Path, pin: PinnedChart, into: Path) -> Path:
    """The chart as Helm takes it: packed, or a copy without the charts that it would only bring
    when asked (a repository doesn't have them)."""
    packed, unpacked = folder / pin.file, folder / pin.name
    if packed.is_file():
        return packed
    if not unpacked.is_dir():
        pytest.skip(f"{folder} has no {pin.file}: its values are not proven here")
    copy = into / pin.name
    shutil.copytree(unpacked, copy)
    described = yaml.safe_load((copy / "Chart.yaml").read_text(encoding="utf-8"))
    assert described["version"] == pin.version, "another version than the pinned one"
    if not (copy / "charts").is_dir():
        described.pop("dependencies", None)
        (copy / "Chart.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    return copy


def definitions(pin: PinnedChart, *, into: Path) -> list[dict[str, Any]]:
    """The CustomResourceDefinitions that the chart brings; skipped as `rendered` is."""
    folder, helm = os.environ.get(FOLDER), shutil.which("helm")
    if folder is None or helm is None:
        pytest.skip(f"no {FOLDER}, or no helm on PATH: {pin.name}'s kinds are not proven here")
    command = [helm, "show", "crds", str(_chart(Path(folder), pin, into))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in load_yaml(done.stdout) if document]
