"""One resource fails, or the program does: what goes on, what doesn't, and what is said."""

from __future__ import annotations

import gc
import sys
import weakref
from pathlib import Path

import pulumi
import pytest

from corral.embedded.engine.program import NotAProject, run_program
from corral.embedded.engine.registration import Outcome, Read, Registration, ResourceFailed
from tests.embedded.engine.programs import FIRST_LINE, Recorder, ran, run, write_project

PREFIX = "urn:pulumi:dev::proj::"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def names(urns: tuple[str, ...]) -> set[str]:
    return {urn.rpartition("::")[2] for urn in urns}


FAMILY = """
broken = config_map("broken")
config_map("sibling")
group = Group("group")
config_map("in-group", parent=group, depends_on=[broken])
config_map("of-input", data={"uid": broken.metadata.uid})
config_map("of-apply", data={"uid": broken.id.apply(lambda id: id.upper())})
config_map("of-group", depends_on=[group])
config_map("child", parent=broken)
waiting = Group("waiting", pulumi.ResourceOptions(depends_on=[broken]))
config_map("in-waiting", parent=waiting)
config_map("of-sibling", data={"name": config_map("other").metadata.name})
pulumi.export("uid", broken.metadata.uid)
pulumi.export("fine", "yes")
"""


@pytest.mark.parametrize("preview", [False, True])
def test_a_failure_skips_what_depends_on_it_and_nothing_else(tmp_path: Path, preview: bool) -> None:
    result, executor = run(
        tmp_path,
        FAMILY,
        executor=Recorder(fails={"broken": "the server said no"}),
        preview=preview,
    )
    assert result.error is None and not result.complete
    [failure] = result.failures
    assert failure.urn == f"{PREFIX}{CONFIG_MAP}::broken"
    assert failure.reason == "the server said no"
    assert executor.names == {"broken", "sibling", "other", "of-sibling"}
    assert names(failure.skipped) == {
        "in-group", "of-input", "of-apply", "of-group", "child", "waiting", "in-waiting",
    }  # fmt: skip
    assert result.outputs["fine"] == "yes"


def test_each_failure_names_what_was_skipped_for_it(tmp_path: Path) -> None:
    result, _ = run(
        tmp_path,
        """
        first, second = config_map("first"), config_map("second")
        config_map("of-first", depends_on=[first])
        config_map("of-second", depends_on=[second])
        """,
        executor=Recorder(fails={"first": "1", "second": "2"}),
    )
    assert {failure.reason: names(failure.skipped) for failure in result.failures} == {
        "1": {"of-first"},
        "2": {"of-second"},
    }


def test_a_failed_read_skips_its_dependents(tmp_path: Path) -> None:
    class Blind(Recorder):
        def read(self, read: Read) -> Outcome:
            raise ResourceFailed(f"{read.id} isn't there")

    result, executor = run(
        tmp_path,
        """
        there = ConfigMap.get("there", "default/there")
        config_map("copy", data={"x": there.data["x"]})
        config_map("other")
        """,
        executor=Blind(),
    )
    [failure] = result.failures
    assert (failure.reason, names(failure.skipped)) == ("default/there isn't there", {"copy"})
    assert executor.names == {"other"}


def test_an_observer_can_fail_a_resource(tmp_path: Path) -> None:
    def observe(registration: Registration) -> None:
        if registration.type == "pulumi:providers:kubernetes":
            raise ResourceFailed("that is another cluster")

    result, executor = run(
        tmp_path,
        """
        other = k8s.Provider("other")
        config_map("there", provider=other)
        config_map("here")
        """,
        observe=observe,
    )
    assert [failure.reason for failure in result.failures] == ["that is another cluster"]
    assert executor.names == {"here"}


def test_two_resources_of_one_urn_end_the_run_and_are_named(tmp_path: Path) -> None:
    result, _ = run(tmp_path, 'config_map("twin"); config_map("twin")')
    assert result.error is not None
    assert f"{PREFIX}{CONFIG_MAP}::twin" in result.error
    assert not result.complete


def test_an_exception_of_the_program_is_told_with_its_place(tmp_path: Path) -> None:
    directory = write_project(tmp_path, "import parts; parts.build()", preamble="")
    (directory / "parts.py").write_text("def build():\n    raise ValueError('too many tenants')\n")
    result = run_program(
        project=directory, stack="dev", config={}, preview=False, executor=Recorder(), workers=2
    )
    assert result.error == ("parts.py:2: ValueError: too many tenants\n  called from __main__.py:1")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("raise pulumi.RunError('no such region')", "no such region"),
        (
            "class E(Exception): user_facing = True\nraise E('stacks/x.yaml: a\\n fix')",
            "stacks/x.yaml: a\n fix",
        ),
        (
            "class E(Exception): user_facing = True\n"
            "try:\n    raise E('the cause')\nexcept E as e:\n    raise KeyError('x') from e",
            "the cause",
        ),
        ("import sys; sys.exit('gave up')", "gave up"),
        ("import sys; sys.exit(3)", "the program ended itself with status 3"),
        (
            "import nowhere",
            f"__main__.py:{FIRST_LINE}: ModuleNotFoundError: No module named 'nowhere'",
        ),
        ("x = (", f"__main__.py:{FIRST_LINE}: SyntaxError"),
        ("pulumi.log.error('quota is gone')", "quota is gone"),
        (
            "config_map('one').id.apply(lambda id: 1 / 0)",
            f"__main__.py:{FIRST_LINE}: ZeroDivisionError: division by zero",
        ),
        ("config_map('one', data={'a': object()})", "unexpected input of type object"),
        ("raise RuntimeError", f"__main__.py:{FIRST_LINE}: RuntimeError: no message"),
    ],
)
def test_errors_of_the_program_are_readable(
    tmp_path: Path, source: str, expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    result, _ = run(tmp_path, source)
    assert result.error is not None and expected in result.error
    assert "Traceback" not in result.error
    assert not result.complete
    gc.collect()
    assert capfd.readouterr().err == "", "asyncio has nothing to add"


def test_a_program_may_end_itself_in_peace(tmp_path: Path) -> None:
    result, executor = run(tmp_path, "config_map('one')\nimport sys\nsys.exit(0)")
    assert result.complete
    assert executor.names == {"one"}


def test_what_was_registered_before_an_exception_is_still_done(tmp_path: Path) -> None:
    result, executor = run(tmp_path, "config_map('one')\nraise ValueError('late')")
    assert result.error is not None
    assert executor.names == {"one"}


def test_secrets_of_the_configuration_are_taken_out_of_errors_and_logs(tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    result, _ = run(
        tmp_path,
        """
        token = pulumi.Config().require("token")
        pulumi.log.warn("token is " + token)
        raise ValueError("bad token " + token)
        """,
        config={"proj:token": "t0ken-of-mine"},
        secret_keys=["proj:token"],
        log=lambda severity, text: said.append((severity, text)),
    )
    assert result.error is not None and "bad token [secret]" in result.error
    assert said == [("warning", "token is [secret]")]


def test_a_bug_of_the_executor_is_raised_and_not_dressed_up(tmp_path: Path) -> None:
    class Buggy(Recorder):
        def register(self, registration: Registration) -> Outcome:
            raise KeyError(f"a bug with {registration.name}")

    with pytest.raises(KeyError, match=r"a bug with (one|two)"):
        run(tmp_path, 'config_map("one"); config_map("two")', executor=Buggy())


def test_after_the_end_of_a_run_no_more_calls_reach_the_executor(tmp_path: Path) -> None:
    class Buggy(Recorder):
        def register(self, registration: Registration) -> Outcome:
            super().register(registration)
            raise KeyError("a bug")

    executor = Buggy()
    with pytest.raises(KeyError):
        run(tmp_path, "for n in range(300): config_map(f'{n}')", executor=executor)
    assert len(executor.registrations) <= 4, "no more than were under way"


def test_programs_can_run_one_after_the_other(tmp_path: Path) -> None:
    for stack, word in (("a", "first"), ("b", "second")):
        directory = write_project(
            tmp_path / stack,
            """
            import parts
            config_map("one", data={"word": parts.WORD, "set": pulumi.Config().get("set")})
            pulumi.export("stack", pulumi.get_stack())
            """,
        )
        (directory / "parts.py").write_text(f"WORD = {word!r}\n")
        executor = Recorder()
        result = run_program(
            project=directory,
            stack=stack,
            config={"proj:set": stack} if stack == "a" else {},
            preview=stack == "b",
            executor=executor,
            workers=2,
        )
        assert result.complete, result.error
        assert result.outputs == {"stack": stack}
        expected = {"word": word} | ({"set": "a"} if stack == "a" else {})
        assert executor["one"].inputs["data"] == expected, "nothing is left of the run before"


def test_a_run_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    before = (Path.cwd(), list(sys.path), sys.argv, gc.get_threshold(), pulumi.get_stack())
    executor = Recorder()
    gone = weakref.ref(executor)
    result, executor = run(tmp_path, "raise ValueError", executor=executor)
    assert result.error is not None
    after = (Path.cwd(), list(sys.path), sys.argv, gc.get_threshold(), pulumi.get_stack())
    assert after == before
    del executor
    gc.collect()
    assert gone() is None, "the SDK's globals keep the run alive"


def test_the_program_runs_in_its_directory_with_itself_importable(tmp_path: Path) -> None:
    result, _ = run(
        tmp_path,
        """
        import os, sys
        pulumi.export("cwd", os.getcwd())
        pulumi.export("path", sys.path[0])
        pulumi.export("root", pulumi.runtime.get_root_directory())
        pulumi.export("argv", sys.argv)
        """,
    )
    here = str(tmp_path.resolve())
    main = str(tmp_path.resolve() / "__main__.py")
    assert result.outputs == {"cwd": here, "path": here, "root": here, "argv": [main]}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "Run this from a Pulumi project"),
        ({"Pulumi.yaml": "runtime: python\n"}, "`name` is missing"),
        ({"Pulumi.yaml": "[1"}, "isn't YAML"),
        ({"Pulumi.yaml": "name: x\nruntime: go\n"}, "runs Python programs, not 'go'"),
        ({"Pulumi.yaml": "name: x\nruntime: {name: python}\n"}, "the program isn't there"),
    ],
)
def test_a_directory_without_a_program_is_refused(
    tmp_path: Path, files: dict[str, str], expected: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(NotAProject, match=expected):
        run_program(
            project=tmp_path, stack="dev", config={}, preview=True, executor=Recorder(), workers=1
        )


def test_the_program_can_stand_elsewhere_in_the_project(tmp_path: Path) -> None:
    write_project(tmp_path / "infra", 'config_map("one")')
    (tmp_path / "Pulumi.yaml").write_text("name: proj\nruntime: python\nmain: infra\n")
    executor = Recorder()
    result = run_program(
        project=tmp_path, stack="dev", config={}, preview=False, executor=executor, workers=1
    )
    assert result.complete and executor.names == {"one"}


def test_an_empty_program_registers_its_stack(tmp_path: Path) -> None:
    result, _ = run(tmp_path, "")
    assert result.complete and result.registered == 1
    assert ran(tmp_path, "").names == set()
