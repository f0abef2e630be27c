"""What the engine assumes about the SDK's inside. A red test here means that the SDK was raised:
read what changed, adapt `seam.py`, then raise the figures below and in `seam.py`."""

from __future__ import annotations

import ast
import inspect
from importlib import metadata
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
from pulumi.runtime import Settings, mocks, rpc
from pulumi.runtime import resource as sdk_resource
from pulumi.runtime import settings as sdk_settings
from pulumi.runtime.proto import alias_pb2, resource_pb2

from corral.embedded.engine import seam
from corral.embedded.engine.monitor import Monitor

ENGINE = Path(inspect.getfile(seam)).parent

REQUEST_FIELDS = {
    "type", "name", "parent", "custom", "object", "protect", "dependencies", "provider",
    "propertyDependencies", "deleteBeforeReplace", "version", "ignoreChanges", "acceptSecrets",
    "additionalSecretOutputs", "aliasURNs", "importId", "customTimeouts",
    "deleteBeforeReplaceDefined", "supportsPartialValues", "remote", "acceptResources",
    "providers", "replaceOnChanges", "pluginDownloadURL", "pluginChecksums", "retainOnDelete",
    "aliases", "deletedWith", "replace_with", "replacement_trigger", "aliasSpecs",
    "sourcePosition", "stackTrace", "parentStackTraceHandle", "transforms",
    "supportsResultReporting", "packageRef", "hooks", "hideDiffs", "envVarMappings", "snippetId",
    "accepts_byte_string", "state_migrations",
}  # fmt: skip

READ_FIELDS = {
    "id", "type", "name", "parent", "properties", "dependencies", "provider", "version",
    "acceptSecrets", "additionalSecretOutputs", "acceptResources", "pluginDownloadURL",
    "pluginChecksums", "sourcePosition", "stackTrace", "parentStackTraceHandle", "packageRef",
    "accepts_byte_string",
}  # fmt: skip

SERVICE = {
    "GetDeploymentInfo", "SupportsFeature", "Invoke", "Call", "ReadResource", "ExistsResource",
    "RegisterResource", "RegisterResourceOutputs", "RegisterStackTransform",
    "RegisterStackInvokeTransform", "RegisterResourceHook", "RegisterErrorHook", "RegisterPackage",
    "SignalAndWaitForShutdown",
}  # fmt: skip

NEVER_CALLED = {
    # The SDK calls these only for features that the monitor doesn't list, or when
    # GetDeploymentInfo isn't there.
    "SupportsFeature", "RegisterStackTransform", "RegisterStackInvokeTransform",
    "RegisterResourceHook", "RegisterErrorHook", "RegisterPackage",
}  # fmt: skip


def fields(message: type) -> set[str]:
    return {field.name for field in message.DESCRIPTOR.fields}  # type: ignore[attr-defined] # generated


def test_the_sdk_is_the_one_that_the_seam_was_checked_against() -> None:
    assert metadata.version("pulumi") == seam.SDK_VERSION


def test_a_registration_has_the_fields_that_the_monitor_was_written_for() -> None:
    assert fields(resource_pb2.RegisterResourceRequest) == REQUEST_FIELDS, (
        "a new field may be an option that the monitor would disregard in silence"
    )
    assert fields(resource_pb2.ReadResourceRequest) == READ_FIELDS
    assert fields(alias_pb2.Alias.Spec) == {
        "name",
        "type",
        "stack",
        "project",
        "parentUrn",
        "noParent",
    }


def test_the_service_has_the_methods_that_the_monitor_answers() -> None:
    service = resource_pb2.DESCRIPTOR.services_by_name["ResourceMonitor"]
    assert {method.name for method in service.methods} == SERVICE
    answered = {name for name in vars(Monitor) if name[0].isupper()}
    assert answered == SERVICE - NEVER_CALLED


def test_the_sdk_knows_the_features_that_were_chosen_from() -> None:
    assert len(resource_pb2.ResourceMonitorFeature.items()) == 19, (
        "a new feature may be one that the monitor should claim, or must refuse"
    )


def test_secrets_and_unknowns_are_written_as_the_engine_reads_them() -> None:
    assert seam.SIGNATURE == "4dabf18193072939515e22adb298388d"
    assert seam.SECRET == "1b47061264138c4ac30d75fd1eb44270"
    assert seam.ASSET == "c44067f5952c0a294b673a41bacd8c17"
    assert seam.UNKNOWN_TEXT == "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    assert isinstance(seam.SDK_UNKNOWN, pulumi.output.Unknown)
    assert rpc.is_rpc_secret(seam.secret("x"))
    assert rpc.unwrap_rpc_secret(seam.secret("x")) == "x"


def test_an_answer_has_the_fields_that_the_sdk_reads_of_one() -> None:
    for function in (sdk_resource.register_resource, sdk_resource.read_resource):
        tree = ast.parse(inspect.getsource(function))
        read = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "resp"
        }
        missing = {name for name in read if not hasattr(seam.Answer("urn"), name)}
        assert not missing, f"{function.__name__} reads {missing} of an answer"


@pytest.mark.parametrize("value", [{"a": {"b": [1, "x", {"c": True}]}}, {"a": None}, {}])
def test_the_sdk_takes_a_plain_map_for_a_struct(value: dict[str, object]) -> None:
    expected = {key: item for key, item in value.items() if item is not None}
    # A map where the signature says Struct: that is the assumption.
    assert rpc.deserialize_properties(cast(Any, value)) == expected


def test_settings_take_any_object_for_a_monitor() -> None:
    source = inspect.getsource(Settings.__init__)
    assert "isinstance(monitor, str)" in source and "self.monitor = monitor" in source


def test_every_global_of_the_sdk_is_put_back_after_a_run() -> None:
    properties = {
        name for name, value in vars(Settings).items() if type(value).__name__ == "ContextProperty"
    }
    caches = {"package_refs", "base_providers_by_ref"}  # new in every run, and empty here
    assert properties - caches == set(seam.SDK_STATE)
    assert sdk_settings.SETTINGS is vars(seam)["SETTINGS"]


def test_no_other_module_of_the_engine_knows_the_sdk() -> None:
    knowing = {
        path.name
        for path in ENGINE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith(("pulumi", "google"))
        )
        or (
            isinstance(node, ast.Import)
            and any(name.name.startswith("pulumi") for name in node.names)
        )
    }
    assert knowing == {"seam.py"}


def test_the_monitor_is_no_mock() -> None:
    assert not issubclass(Monitor, mocks.MockMonitor), "mock URNs keep only the last parent's type"
