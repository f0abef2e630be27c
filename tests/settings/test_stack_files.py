"""Stack files as people leave them: what is wrong is told with its line, never by a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from corral.settings.loading import load_stack_file, load_value, stack_file
from corral.settings.problems import SettingsError
from tests.settings.good import good

GOOD = yaml.safe_dump({"config": {"corral:settings": good()}}, sort_keys=False)


class Refused(NamedTuple):
    """The bytes of a file, and what must be said about them."""

    name: str
    data: bytes | str
    where: str
    line: int | None
    rule: str
    fix: str
    found: str = ""


FILE = "stack file"

REFUSED = [
    Refused("an empty file", "", FILE, None, "a mapping with config", "write config", "nothing"),
    Refused("comments alone", "# later\n", FILE, None, "a mapping with config", "write config"),
    Refused("a list", "- a\n", FILE, None, "a mapping with config", "write config", "a list of 1"),
    Refused("one word", "hunter2", FILE, None, "a mapping with config", "write config", "text"),
    Refused(
        "no config", "encryptionsalt: a\n", "config", None, "a mapping with", "corral:settings"
    ),
    Refused(
        "empty config", "config:\n", "config", 1, "a mapping with", "corral:settings", "nothing"
    ),
    Refused("config as a list", "config: [a]\n", "config", 1, "a mapping with", "corral:settings"),
    Refused(
        "no settings", "config: {}\n", "corral:settings", 1, "a mapping with cluster", "cluster:"
    ),
    Refused(
        "empty settings",
        "config:\n  corral:settings:\n",
        "corral:settings",
        2,
        "a mapping with the keys layers, cluster, aws, network, pools",
        "write a value",
        "null",
    ),
    Refused(
        "an encrypted object",
        "config:\n  corral:settings:\n    secure: v1:abcdefgh\n",
        "corral:settings.secure",
        3,
        "plain values",
        "plain text",
        "hidden",
    ),
    # keys around the settings
    Refused("a misspelt key", "confg:\n" + GOOD, "confg", 1, "these keys alone", "mean config?"),
    Refused(
        "a secret at the top", "pin: s3same\n" + GOOD, "pin", 1, "these keys", "remove", "under an"
    ),
    Refused(
        "an imported environment",
        "environment: [a]\n" + GOOD,
        "environment",
        1,
        "imported",
        "remove",
    ),
    Refused(
        "a salt that is none", "encryptionsalt: 1\n" + GOOD, "encryptionsalt", 1, "text", "Pulumi"
    ),
    Refused(
        "the provider's namespace",
        GOOD + "  kubernetes:context: prod\n",
        "config.kubernetes:context",
        None,
        "corral:settings alone",
        "providers follow it",
        "doesn't read",
    ),
    Refused(
        "a secret of the provider",
        GOOD + "  aws:secretKey: wJalrXUtnFEMI\n",
        "config.aws:secretKey",
        None,
        "corral:settings alone",
        "remove it",
        "doesn't read",
    ),
    Refused(
        "a misspelt settings key",
        GOOD + "  corral:setings: {}\n",
        "config.corral:setings",
        None,
        "corral:settings alone",
        "did you mean corral:settings?",
    ),
    Refused(
        "a key without namespace",
        GOOD + "  settings: {}\n",
        "config.settings",
        None,
        "corral:settings alone",
        "did you mean corral:settings?",
    ),
    Refused(
        "a key of another program",
        GOOD + "  corral:replicas: 3\n",
        "config.corral:replicas",
        None,
        "corral:settings alone",
        "move it under",
    ),
    # no YAML
    Refused("an open bracket", "config: {a: [1\n", FILE, 2, "YAML", "brackets", "column"),
    Refused("a tab", "config:\n\ta: b\n", FILE, 2, "YAML", "spaces instead of tabs", "column 1"),
    Refused("a colon in a value", "config: a: b\n", FILE, 1, "YAML", "colon", "column"),
    Refused("an open quote", 'config: "a\nb\n', FILE, 3, "YAML", "quotes"),
    Refused("a bad escape", 'config: "\\q"\n', FILE, 1, "YAML", "quotes"),
    Refused("an at sign", "config: @a\n", FILE, 1, "YAML", "starts with one of @"),
    Refused("bad indentation", "config:\n  a: 1\n b: 2\n", FILE, 3, "YAML", "indentation"),
    Refused("two documents", "a: 1\n---\nb: 2\n", FILE, 2, "one document", "remove", "second"),
    Refused("an unknown directive", "%FOO\n---\na: 1\n", FILE, 1, "YAML", "line"),
    # no text
    Refused("Latin-1", "# caf\xe9\n".encode("latin-1"), FILE, 1, "UTF-8", "UTF-8", "byte 0xe9"),
    Refused("UTF-16", "config:\n".encode("utf-16"), FILE, 1, "UTF-8", "save the file as UTF-8"),
    Refused("a picture", b"\x89PNG\r\n\x1a\n\0\0", FILE, 1, "UTF-8", "save the file"),
    Refused(
        "a null character", b"a: 1\nb: \0\n", FILE, 2, "control characters", "remove it", "0000"
    ),
    Refused(
        "an escape sequence", b"a: \x1b[31m\n", FILE, 1, "control characters", "remove", "001B"
    ),
    Refused("five megabytes", b"#" * 5_000_000, FILE, None, "4 MiB", "split"),
    # YAML's own tricks
    Refused("very deep", "[" * 100_000, FILE, 1, "40 levels", "brackets"),
    Refused("very deep mappings", "{a: " * 100_000, FILE, 1, "40 levels", "brackets"),
    Refused(
        "an alias of nothing", "config: *token\n", FILE, 1, "anchors that are", "write the value"
    ),
    Refused(
        "a circle", "config: &a [*a]\n", FILE, 1, "anchors that are complete", "write", "part of"
    ),
    Refused(
        "a billion laughs",
        "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        FILE,
        6,
        "at most 500000 values",
        "aliases of aliases",
    ),
    Refused("a list as a key", "? [a]\n: b\n", FILE, 1, "keys that are text", "write the key out"),
    Refused("a tag", "config: !!python/object:os.system {}\n", "config", 1, "no tags", "remove"),
    Refused("a tag on text", "config: !secret hunter2\n", "config", 1, "no tags", "remove", "(!…)"),
    Refused("a merge of a list", "config:\n  <<: [1]\n", "config", 2, "`<<`", "a mapping"),
]


def refusal(data: bytes | str, folder: Path) -> SettingsError:
    """The error of a file with that content."""
    path = folder / "Pulumi.test.yaml"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(SettingsError) as caught:
        load_stack_file(path)
    assert str(path) in str(caught.value), "the file is named"
    return caught.value


@pytest.mark.parametrize("refused", REFUSED, ids=[refused.name for refused in REFUSED])
def test_a_file_that_is_no_stack_file_is_refused_with_the_line(
    refused: Refused, tmp_path: Path
) -> None:
    error = refusal(refused.data, tmp_path)
    found = [problem for problem in error.problems if problem.where == refused.where]
    assert found, str(error)
    problem = found[0]
    assert refused.rule in problem.rule
    assert refused.fix in problem.fix
    assert refused.found in problem.found
    if refused.line is not None:
        assert problem.line == refused.line
    for secret in ("hunter2", "s3same", "wJalrXUtnFEMI"):
        assert secret not in str(error)


def test_the_good_file_is_good(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(GOOD)
    assert load_stack_file(path) == load_value(good(), "here")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("a byte order mark", lambda text: "\ufeff" + text),
        ("Windows line ends", lambda text: text.replace("\n", "\r\n")),
        ("an explicit document", lambda text: f"---\n{text}...\n"),
        (
            "what Pulumi writes",
            lambda text: f"encryptionsalt: v1:a=\nsecretsprovider: awskms\n{text}",
        ),
        ("an encrypted key", lambda text: f"encryptedkey: AQEA\n{text}"),
        ("flow style", lambda text: yaml.safe_dump(yaml.safe_load(text), default_flow_style=True)),
    ],
)
def test_ways_to_write_a_good_file_are_accepted(
    name: str, change: Callable[[str], str], tmp_path: Path
) -> None:
    path = tmp_path / "Pulumi.test.yaml"
    path.write_bytes(change(GOOD).encode())
    assert load_stack_file(path) == load_value(good(), "here"), name


def test_each_problem_has_the_line_of_its_key(tmp_path: Path) -> None:
    text = """config:
  corral:settings:
    cluster:
      kind: embedded
    pools:
      small:
        tier: gvisor
        nodes: 2
        cpu: 8
        # how much?
        memory: much
        disk: 100Gi
    classes:
      worker:
        tier: gvisor
        limits:
          cpu: 16
          memory: 4Gi
    tenants:
      acme:
        agents: { worker: 1 }
        readers:
          - acme
          - 7
"""
    told = {problem.where: problem.line for problem in refusal(text, tmp_path).problems}
    assert told == {
        "corral:settings.pools.small.memory": 11,
        "corral:settings.classes.worker.limits.cpu": 17,
        "corral:settings.tenants.acme.tier": 20,
        "corral:settings.tenants.acme.readers[1]": 24,
    }, "and a key that is missing has the line of what it belongs to"
    assert list(told.values()) == [11, 17, 20, 24], "from the top down"


def test_a_key_that_stands_twice_is_refused_and_both_lines_are_named(tmp_path: Path) -> None:
    text = GOOD + "    pools: {}\n    tenants: {}\n"
    first = GOOD.splitlines().index("    pools:") + 1
    problem = next(p for p in refusal(text, tmp_path).problems if p.where.endswith(".pools"))
    assert problem.line == GOOD.count("\n") + 1
    assert f"each key once; it stands on line {first} already" in problem.rule


def test_names_that_old_yaml_takes_for_booleans_are_names(tmp_path: Path) -> None:
    """As for go-yaml, which reads the file for Pulumi; PyYAML alone would make it False."""
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(GOOD.replace("    vault:", "    no:"))
    assert "no" in load_stack_file(path).tenants


@pytest.mark.parametrize("key", ["true", "False", "null", "~"])
def test_a_key_that_is_no_text_is_refused(key: str, tmp_path: Path) -> None:
    problems = refusal(GOOD.replace("    vault:", f"    {key}:"), tmp_path).problems
    assert [p.where for p in problems] == [f"corral:settings.tenants.{key}"]
    assert problems[0].fix == "quote it"


def test_a_number_as_a_name_is_refused_as_a_name(tmp_path: Path) -> None:
    (problem,) = refusal(GOOD.replace("    vault:", "    8:"), tmp_path).problems
    assert problem.where == "corral:settings.tenants.8"
    assert "start with a letter" in problem.rule


def test_aliases_and_merges_are_read_as_pulumi_reads_them(tmp_path: Path) -> None:
    value = good()
    value["pools"]["more"] = {**value["pools"]["virtual"], "nodes": 5}
    written = GOOD.replace("    virtual:", "    virtual: &virtual").replace(
        "    classes:", "      more:\n        <<: *virtual\n        nodes: 5\n    classes:"
    )
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(written)
    assert load_stack_file(path) == load_value(value, "here")


def test_a_file_that_is_not_there_or_no_file_is_told(tmp_path: Path) -> None:
    for path, found in (
        (tmp_path / "Pulumi.none.yaml", "no file of that name"),
        (tmp_path, "no regular file"),
        (tmp_path / "a\0b", "no such path"),
        (tmp_path / ("a" * 300), "File name too long"),
    ):
        with pytest.raises(SettingsError) as caught:
            load_stack_file(path)
        assert caught.value.problems[0].found == found


def test_a_file_that_may_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(GOOD)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SettingsError, match="Permission denied"):
        load_stack_file(path)


class TestStackFile:
    """`stack_file`: from a stack's name to its file."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        (tmp_path / "stacks").mkdir()
        for stack in ("local", "prod"):
            (tmp_path / "stacks" / f"Pulumi.{stack}.yaml").write_text(GOOD)
        return tmp_path

    @pytest.mark.parametrize("stack", ["local", "acme/local", "acme/corral/local"])
    def test_it_knows_names_and_qualified_names(self, stack: str, root: Path) -> None:
        assert stack_file(stack, root) == root / "stacks" / "Pulumi.local.yaml"

    @pytest.mark.parametrize("stack", ["locl", "", "..", "../local/", "a\0", "x" * 300, "local\n"])
    def test_an_unknown_stack_is_refused_with_those_that_there_are(
        self, stack: str, root: Path
    ) -> None:
        with pytest.raises(SettingsError) as caught:
            stack_file(stack, root)
        (problem,) = caught.value.problems
        assert problem.rule == "one of local, prod"
        assert problem.fix == (
            "did you mean local?"
            if stack in ("locl", "local\n")
            else "write stacks/Pulumi.<stack>.yaml for it"
        )

    def test_a_project_without_stacks_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="none has"):
            stack_file("local", tmp_path)
