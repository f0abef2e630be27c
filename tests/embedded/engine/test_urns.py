"""URNs and former URNs, as pulumi's step generator makes them."""

from __future__ import annotations

import pytest

from corral.embedded.engine.urns import (
    Alias,
    Identity,
    former_urns,
    make_urn,
    own_name,
    own_type,
    qualified_type,
)

PREFIX = "urn:pulumi:dev::proj::"
STACK = f"{PREFIX}pulumi:pulumi:Stack::proj-dev"
OUTER = f"{PREFIX}test:index:Outer::outer"


@pytest.mark.parametrize(
    ("parent", "type", "name", "expected"),
    [
        ("", "pulumi:pulumi:Stack", "proj-dev", STACK),
        (STACK, "test:index:Outer", "outer", OUTER),
        (OUTER, "test:index:Inner", "in", f"{PREFIX}test:index:Outer$test:index:Inner::in"),
        (
            f"{PREFIX}test:index:Outer$test:index:Inner::in",
            "kubernetes:core/v1:Namespace",
            "n",
            f"{PREFIX}test:index:Outer$test:index:Inner$kubernetes:core/v1:Namespace::n",
        ),
        (STACK, "test:index:Odd", "a::b$c", f"{PREFIX}test:index:Odd::a::b$c"),
    ],
)
def test_a_urn_names_all_parent_types_but_the_stacks(
    parent: str, type: str, name: str, expected: str
) -> None:
    urn = make_urn(stack="dev", project="proj", parent=parent, type=type, name=name)
    assert urn == expected
    assert (own_type(urn), own_name(urn)) == (type, name)


def test_the_qualified_type_is_the_third_part() -> None:
    assert qualified_type(f"{PREFIX}a:b:C$d:e:F::n::m") == "a:b:C$d:e:F"


def identity(parent: str = OUTER, type: str = "test:index:Inner", name: str = "inner") -> Identity:
    return Identity(stack="dev", project="proj", parent=parent, type=type, name=name)


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        (Alias(urn="urn:pulumi:a::b::c::d"), "urn:pulumi:a::b::c::d"),
        (Alias(name="old"), f"{PREFIX}test:index:Outer$test:index:Inner::old"),
        (Alias(type="test:index:Was"), f"{PREFIX}test:index:Outer$test:index:Was::inner"),
        (Alias(no_parent=True), f"{PREFIX}test:index:Inner::inner"),
        (Alias(parent=STACK), f"{PREFIX}test:index:Inner::inner"),
        (
            Alias(parent=f"{PREFIX}test:index:Other::other"),
            f"{PREFIX}test:index:Other$test:index:Inner::inner",
        ),
        (Alias(stack="old"), "urn:pulumi:old::proj::test:index:Outer$test:index:Inner::inner"),
        (Alias(project="old"), "urn:pulumi:dev::old::test:index:Outer$test:index:Inner::inner"),
    ],
)
def test_an_alias_changes_what_it_names_and_keeps_the_rest(alias: Alias, expected: str) -> None:
    assert former_urns(identity(), [alias], ()) == (expected,)


def test_children_of_a_renamed_parent_were_called_after_its_former_name() -> None:
    child = identity(parent=f"{PREFIX}test:index:Outer::new", name="new-config")
    before = [f"{PREFIX}test:index:Outer::old"]
    assert former_urns(child, (), before) == (
        f"{PREFIX}test:index:Outer$test:index:Inner::old-config",
    )


def test_own_and_inherited_aliases_multiply_own_first() -> None:
    child = identity(parent=f"{PREFIX}test:index:Outer::new", name="new-config")
    found = former_urns(child, [Alias(name="thing")], [f"{PREFIX}test:index:Outer::old"])
    kind = f"{PREFIX}test:index:Outer$test:index:Inner"
    assert found == (f"{kind}::thing", f"{kind}::old-config")


def test_the_present_urn_is_no_alias() -> None:
    assert former_urns(identity(), [Alias(name="inner"), Alias(urn=identity().urn)], ()) == ()
