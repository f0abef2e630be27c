"""Secrets are unwrapped for the executor and stay secret behind it; unknowns are kept apart."""

from __future__ import annotations

from pathlib import Path

from corral.embedded.engine.registration import UNKNOWN, Outcome, Registration
from tests.embedded.engine.programs import Recorder, ran, run


def test_secrets_stand_in_place_with_their_paths_beside(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        token = pulumi.Output.secret("t0ken")
        config_map("one", data={"open": "o", "closed": token})
        k8s.apiextensions.CustomResource(
            "two", api_version="example.dev/v1", kind="Thing", metadata={"name": "two"},
            spec={"list": ["a", token, {"deep": [token]}], "whole": pulumi.Output.secret({"x": 1})},
        )
        """,
    )
    assert executor["one"].inputs["data"] == {"open": "o", "closed": "t0ken"}
    assert executor["one"].secret_paths == {("data", "closed")}
    two = executor["two"]
    assert two.inputs["spec"] == {"list": ["a", "t0ken", {"deep": ["t0ken"]}], "whole": {"x": 1}}
    assert two.secret_paths == {
        ("spec", "list", 1),
        ("spec", "list", 2, "deep", 0),
        ("spec", "whole"),
    }


def test_the_payload_of_a_secret_object_is_always_secret(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        Secret("open", metadata={"name": "open"}, string_data={"a": "b"}, data={"c": "ZA=="})
        """,
    )
    assert executor["open"].secret_paths == {("data",), ("stringData",)}


def test_an_output_made_of_a_secret_is_secret_for_the_next_resource(tmp_path: Path) -> None:
    result, executor = run(
        tmp_path,
        """
        first = config_map("first", data={"closed": pulumi.Output.secret("t0ken")})
        config_map("second", data={"copy": first.data["closed"].apply(lambda text: text + "!")})
        config_map("third", data={"name": first.metadata.name})
        pulumi.export("token", first.data["closed"])
        pulumi.export("name", first.metadata.name)
        """,
    )
    assert executor["second"].inputs["data"] == {"copy": "t0ken!"}
    assert executor["second"].secret_paths == {("data", "copy")}
    assert executor["third"].secret_paths == frozenset(), "what isn't secret isn't made so"
    assert result.outputs == {"token": "t0ken", "name": "first"}
    assert result.secret_paths == {("token",)}


def test_what_comes_back_from_the_cluster_is_marked_again(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        made = Secret("made", metadata={"name": "made"}, string_data={"a": "b"})
        config_map("copy", data={"payload": made.data["a"]})
        """,
        executor=Recorder(gives={"made": {"data": {"a": "Yg=="}}}),
    )
    assert executor["copy"].inputs["data"] == {"payload": "Yg=="}
    assert ("data", "payload") in executor["copy"].secret_paths, (
        "`data` wasn't among the inputs: the type itself declares it secret"
    )


def test_outputs_can_be_declared_secret(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        first = config_map("first", data={"a": "b"}, additional_secret_outputs=["data"])
        config_map("second", data={"copy": first.data["a"]})
        """,
    )
    assert executor["second"].secret_paths == {("data", "copy")}


def test_secret_configuration_is_secret(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        'config_map("one", data={"token": pulumi.Config().require_secret("token")})',
        config={"proj:token": "t0ken"},
        secret_keys=["proj:token"],
    )
    assert executor["one"].secret_paths == {("data", "token")}


class Unborn(Recorder):
    """Plans like a cluster in which `first` doesn't exist: its uid isn't known."""

    def register(self, registration: Registration) -> Outcome:
        outcome = super().register(registration)
        if registration.name != "first":
            return outcome
        metadata = {**registration.inputs["metadata"], "uid": UNKNOWN}
        return Outcome(id=None, state={**registration.inputs, "metadata": metadata})


def test_unknowns_keep_their_place_in_a_list(tmp_path: Path) -> None:
    executor = ran(
        tmp_path,
        """
        first = config_map("first")
        k8s.apiextensions.CustomResource(
            "second", api_version="example.dev/v1", kind="Thing", metadata={"name": "second"},
            spec={"list": ["a", first.metadata.uid, "c"], "id": first.id,
                  "closed": pulumi.Output.secret(first.metadata.uid)},
        )
        """,
        executor=Unborn(),
        preview=True,
    )
    second = executor["second"]
    assert second.inputs["spec"] == {"list": ["a", UNKNOWN, "c"], "id": UNKNOWN, "closed": UNKNOWN}
    assert second.unknown_paths == {("spec", "list", 1), ("spec", "id"), ("spec", "closed")}
    assert second.secret_paths == {("spec", "closed")}


def test_a_plan_knows_inputs_and_ids_of_named_objects_and_nothing_more(tmp_path: Path) -> None:
    result, executor = run(
        tmp_path,
        """
        first = config_map("first", data={"a": "b"})
        name, id = first.metadata.name, first.id
        config_map("second", data={"name": name, "id": id, "a": first.data["a"]})
        unnamed = ConfigMap("unnamed")
        pulumi.export("immutable", first.immutable)
        pulumi.export("id", unnamed.id)
        pulumi.export("known", first.id)
        """,
        preview=True,
    )
    assert executor["second"].inputs["data"] == {"name": "first", "id": "default/first", "a": "b"}
    assert result.outputs == {"immutable": UNKNOWN, "id": UNKNOWN, "known": "default/first"}


def test_a_value_that_is_still_unknown_in_an_update_fails_its_resource_by_path(
    tmp_path: Path,
) -> None:
    result, executor = run(
        tmp_path,
        """
        config_map("one", data={"a.b": pulumi.Output.from_input(pulumi.UNKNOWN)})
        config_map("two")
        """,
    )
    [failure] = result.failures
    assert 'data["a.b"]' in failure.reason
    assert executor.names == {"two"}
