"""What a program's registrations become, seen by running real programs on the real SDK."""

from __future__ import annotations

from pathlib import Path

import pytest

from corral.embedded.engine.registration import Registration
from tests.embedded.engine.programs import Recorder, ran, run

PREFIX = "urn:pulumi:dev::proj::"
STACK = f"{PREFIX}pulumi:pulumi:Stack::proj-dev"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def observed(directory: Path, source: str) -> dict[str, Registration]:
    seen: dict[str, Registration] = {}
    result, _ = run(directory, source, observe=lambda one: seen.update({one.name: one}))
    assert result.complete, (result.error, result.failures)
    return seen


def test_urns_of_nested_components_name_every_type_on_the_way(tmp_path: Path) -> None:
    seen = observed(
        tmp_path,
        """
        outer = Group("outer", type="test:index:Outer")
        inner = Group("inner", pulumi.ResourceOptions(parent=outer), type="test:index:Inner")
        config_map("top")
        config_map("deep", parent=inner)
        """,
    )
    assert {name: (one.urn, one.parent) for name, one in seen.items()} == {
        "proj-dev": (STACK, None),
        "outer": (f"{PREFIX}test:index:Outer::outer", STACK),
        "inner": (
            f"{PREFIX}test:index:Outer$test:index:Inner::inner",
            f"{PREFIX}test:index:Outer::outer",
        ),
        "top": (f"{PREFIX}{CONFIG_MAP}::top", STACK),
        "deep": (
            f"{PREFIX}test:index:Outer$test:index:Inner${CONFIG_MAP}::deep",
            f"{PREFIX}test:index:Outer$test:index:Inner::inner",
        ),
    }
    assert {name for name, one in seen.items() if one.custom} == {"top", "deep"}


def test_the_executor_gets_the_document_of_each_object_and_nothing_else(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        group = Group("group")
        provider = k8s.Provider("elsewhere", context="corral")
        k8s.apps.v1.Deployment(
            "web",
            metadata={"name": "web", "namespace": "default", "labels": {"a.b/c": "d"}},
            spec={
                "replicas": 2,
                "selector": {"match_labels": {"app": "web"}},
                "template": {"spec": {"containers": [{"name": "c", "image_pull_policy": None}]}},
            },
            opts=pulumi.ResourceOptions(provider=provider, parent=group),
        )
        """,
    )
    [web] = executor.registrations
    assert web.inputs == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "labels": {"a.b/c": "d"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"containers": [{"name": "c"}]}},
        },
    }
    assert isinstance(web.inputs["spec"]["replicas"], int), "Struct numbers are floats"
    assert web.provider == f"{PREFIX}pulumi:providers:kubernetes::elsewhere"
    assert not web.secret_paths and not web.unknown_paths


def test_dependencies_are_explicit_ones_those_of_inputs_and_those_of_what_is_around(
    tmp_path: Path,
) -> None:
    executor = ran(
        tmp_path,
        """
        first = config_map("first")
        second = config_map("second")
        around = Group("around", pulumi.ResourceOptions(depends_on=[second]))
        config_map("by-input", data={"key": first.metadata.name})
        config_map("by-option", depends_on=[second, first])
        config_map("inside", parent=around)
        """,
    )
    first, second = f"{PREFIX}{CONFIG_MAP}::first", f"{PREFIX}{CONFIG_MAP}::second"
    assert executor["first"].dependencies == ()
    assert executor["by-input"].dependencies == (first,)
    assert executor["by-option"].dependencies == (first, second), "they come sorted"
    assert executor["inside"].dependencies == (second,)


def test_what_depends_on_a_component_waits_for_all_its_children(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        outer = Group("outer")
        inner = Group("inner", pulumi.ResourceOptions(parent=outer))
        config_map("a", parent=outer)
        config_map("b", parent=inner)
        config_map("after", depends_on=[outer])
        """,
    )
    names = [one.name for one in executor.registrations]
    assert names[-1] == "after"
    assert [urn.rpartition("::")[2] for urn in executor["after"].dependencies] == ["a", "b"]


def test_protect_and_retain_are_inherited_and_can_be_lifted(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        safe = Group("safe", pulumi.ResourceOptions(protect=True, retain_on_delete=True))
        within = Group("within", pulumi.ResourceOptions(parent=safe))
        config_map("guarded", parent=within)
        config_map("lifted", parent=within, protect=False, retain_on_delete=False)
        config_map("plain")
        """,
    )
    flags = {one.name: (one.protect, one.retain_on_delete) for one in executor.registrations}
    assert flags == {"guarded": (True, True), "lifted": (False, False), "plain": (False, False)}


def test_the_other_options_arrive_under_the_names_of_the_document(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        config_map(
            "odd",
            ignore_changes=["data", 'metadata.annotations["a/b"]'],
            replace_on_changes=["data.key"],
            delete_before_replace=True,
        )
        """,
    )
    odd = executor["odd"]
    assert odd.ignore_changes == ("data", 'metadata.annotations["a/b"]')
    assert odd.replace_on_changes == ("data.key",)
    assert odd.delete_before_replace


def test_aliases_become_full_urns_those_of_parents_included(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        group = Group("new", pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")]))
        config_map(
            "new-map",
            parent=group,
            aliases=[
                pulumi.Alias(name="map", parent=pulumi.ROOT_STACK_RESOURCE),
                "urn:pulumi:x::y::z::w",
            ],
        )
        """,
    )
    assert executor["new-map"].aliases == (
        f"{PREFIX}{CONFIG_MAP}::map",
        "urn:pulumi:x::y::z::w",
        f"{PREFIX}test:index:Group${CONFIG_MAP}::old-map",
        f"{PREFIX}test:index:Group${CONFIG_MAP}::map",
        "urn:pulumi:dev::proj::test:index:Group$z::w",
    )


def test_types_that_had_other_names_bring_those_as_aliases(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        'k8s.apps.v1.Deployment("web", metadata={"name": "web"}, spec={"selector": {}})',
    )
    assert f"{PREFIX}kubernetes:extensions/v1beta1:Deployment::web" in executor["web"].aliases


def test_outputs_of_the_executor_reach_other_resources(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        first = config_map("first")
        config_map("second", data={
            "uid": first.metadata.uid,
            "id": first.id,
            "urn": first.urn,
        })
        """,
        executor=Recorder(gives={"first": {"metadata": {"name": "first", "uid": "u-1"}}}),
    )
    assert executor["second"].inputs["data"] == {
        "uid": "u-1",
        "id": "default/first",
        "urn": f"{PREFIX}{CONFIG_MAP}::first",
    }


def test_a_resource_as_an_input_is_its_id(tmp_path: Path) -> None:
    executor = ran(tmp_path, 'config_map("second", data={"first": config_map("first")})')
    assert executor["second"].inputs["data"] == {"first": "default/first"}


def test_stack_outputs_are_plain_values(tmp_path: Path) -> None:
    result, _ = run(
        tmp_path,
        """
        first = config_map("first", data={"key": "value"})
        pulumi.export("name", first.metadata.name)
        pulumi.export("nested", {"numbers": [1, 2.5, True, None], "data": first.data})
        """,
    )
    assert result.outputs == {
        "name": "first",
        "nested": {"numbers": [1, 2.5, True, None], "data": {"key": "value"}},
    }
    assert not result.secret_paths


def test_existing_objects_are_read_by_id(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        there = ConfigMap.get("there", "kube-system/there")
        config_map("copy", data={"found": there.data["found"]})
        """,
    )
    [read] = executor.reads
    assert (read.urn, read.id) == (f"{PREFIX}{CONFIG_MAP}::there", "kube-system/there")
    assert executor["copy"].inputs["data"] == {"found": "kube-system/there"}


def test_an_explicit_provider_is_seen_with_its_settings(tmp_path: Path) -> None:
    seen = observed(tmp_path, 'k8s.Provider("elsewhere", context="corral")')
    assert seen["elsewhere"].type == "pulumi:providers:kubernetes"
    assert seen["elsewhere"].inputs["context"] == "corral"


@pytest.mark.parametrize("count", [2000])
def test_a_large_program_is_held_back_so_that_few_registrations_wait(
    tmp_path: Path, count: int
) -> None:
    ended = tmp_path / "ended"
    early: list[str] = []

    def before(registration: Registration) -> None:
        if not ended.exists():
            early.append(registration.name)

    executor = ran(
        tmp_path / "project",
        f"""
        from pathlib import Path
        for number in range({count}):
            config_map(f"map-{{number}}")
        Path({str(ended)!r}).touch()
        """,
        executor=Recorder(before=before),
    )
    assert len(executor.names) == count
    assert len(early) >= count - 600, "registrations are done while the program still runs"


def test_a_program_that_resolves_its_own_futures_later_is_not_held_back_for_ever(
    tmp_path: Path,
) -> None:
    executor = ran(
        tmp_path,
        """
        import asyncio
        later = asyncio.Future()
        for number in range(600):
            config_map(f"map-{number}", data={"later": later})
        later.set_result("now")
        """,
    )
    assert executor["map-599"].inputs["data"] == {"later": "now"}


def test_resources_made_inside_an_apply_are_registered(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        first = config_map("first")
        first.id.apply(lambda id: [config_map(f"{number}") for number in range(700)] and None)
        """,
    )
    assert len(executor.names) == 701


def test_an_asynchronous_program_runs(tmp_path: Path) -> None:
    result, executor = run(
        tmp_path,
        """
        import asyncio
        async def main():
            await asyncio.sleep(0)
            config_map("inside")
            return {"done": True}
        pulumi.run(main)
        """,
    )
    assert executor.names == {"inside"}
    assert result.outputs == {"done": True}
