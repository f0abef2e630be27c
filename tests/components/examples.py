"""Settings to try components on."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from components.platform import Platform
from components.recording import Recorded, record
from corral.settings.classes import AgentClass, Resources
from corral.settings.loading import load_stack_file, load_value
from corral.settings.stack import Settings
from corral.settings.tenants import Tenant
from corral.settings.tiers import RUNTIMES, Tier
from corral.settings.workspaces import WITHOUT_SHARED_FILES, Workspace
from tests.observability.stack.places import STACK as OBSERVED

GIB, MIB = 2**30, 2**20
LOCAL = load_stack_file(Path(__file__).parents[2] / "stacks" / "Pulumi.local.yaml")


def agent_class(runtime: str = "gvisor", **changes: Any) -> AgentClass:
    """A class on that runtime; changes are keys as a stack file has them."""
    return AgentClass.model_validate(
        {"tier": str(RUNTIMES[runtime].tier), "runtime": runtime, **changes}
    )


def tenant(**changes: Any) -> Tenant:
    """A tenant of one worker; changes are keys as a stack file has them."""
    return Tenant.model_validate({"tier": "container", "agents": {"worker": 1}, **changes})


def every_runtime() -> Settings:
    """A stack with a pool for every tier (of the confidential one, for every runtime), and a class
    and an agent for every runtime."""
    room = {"nodes": 1, "cpu": 32, "memory": "64Gi", "disk": "400Gi", "processes": 4096}
    served: dict[str, tuple[str, list[str]]] = {}
    for name, runtime in RUNTIMES.items():
        own = name if runtime.tier == Tier.CONFIDENTIAL else str(runtime.tier)
        served.setdefault(own, (str(runtime.tier), []))[1].append(name)
    return load_value(
        {
            "cluster": {"kind": "existing", "kubeconfig": "/etc/corral/kubeconfig", "context": "c"},
            "pools": {
                pool: {"tier": tier, "runtimes": runtimes, **room}
                for pool, (tier, runtimes) in served.items()
            },
            "classes": {
                name: {"tier": str(runtime.tier), "runtime": name}
                for name, runtime in RUNTIMES.items()
            },
            "tenants": {
                "everything": {
                    "tier": "container",
                    "agents": dict.fromkeys(RUNTIMES, 1),
                    "volumes": {"count": 3, "storage": "30Gi"},
                    "orchestrator": {"groups": ["orchestrators"], "exec": True},
                    "readers": ["readers"],
                }
            },
        },
        source="every runtime",
    )


def every_part() -> Settings:
    """A stack on a cluster without Calico, with ways out and in, packages, and all of what it is
    observed by."""
    return load_value(every_part_value(), source="every part")


def every_part_value() -> dict[str, Any]:
    """The same as it stands in a stack file."""
    value = deepcopy(OBSERVED)
    value["network"]["inbound"] = {
        "webhooks": {"host": "hooks.example.org", "sources": ["192.0.2.0/24"]},
        "router": {"namespaces": ["orchestrators"]},
    }
    value["observability"]["logs"] = {
        "kind": "otlp",
        "url": "https://loki.example.org/otlp/v1/logs",
        "secret": "loki-token",
    }
    value["tenants"]["acme"] |= {
        "orchestrator": {"groups": ["acme-operators"]},
        "egress": {
            "number": 1,
            "allow": [{"host": "api.github.com"}],
            "packages": {"registries": ["pypi", "npm", "go"]},
        },
        "inbound": {
            "webhooks": {
                "github": {
                    "path": "/github",
                    "signature": {"header": "X-Hub-Signature-256", "secret": "github"},
                    "to": {"class": "worker", "port": 8080},
                }
            },
            "router": {"ports": [8080]},
        },
    }
    return value


def with_tenants(*names: str) -> Settings:
    """The local stack with these tenants, all alike but for their numbers."""
    alike = LOCAL.tenants["acme"]
    assert alike.egress is not None
    tenants = {
        name: alike.model_copy(
            update={"egress": alike.egress.model_copy(update={"number": sum(name.encode())})}
        )
        for name in names
    }
    return LOCAL.model_copy(update={"tenants": tenants})


def registered(settings: Settings, *, preview: bool = True) -> dict[str, Recorded]:
    """What the platform registers for those settings, by URN."""
    return record(lambda: Platform("corral", settings), preview=preview)


@st.composite
def agent_classes(draw: st.DrawFn) -> AgentClass:
    """Any agent class that settings would accept."""
    runtime = RUNTIMES[draw(st.sampled_from(sorted(RUNTIMES)))]
    cpu = draw(st.integers(1000, 4000))
    memory = draw(st.integers(1024, 8192)) * MIB
    overcommit = 1.0
    if runtime.tier == Tier.MICROVM:
        overcommit = draw(st.integers(100, 400)) / 100
    requests = Resources.model_construct(
        cpu=draw(st.integers(1, cpu)), memory=draw(st.integers(1, memory // MIB)) * MIB
    )
    return AgentClass.model_construct(
        tier=runtime.tier,
        runtime=runtime.name,
        limits=Resources.model_construct(cpu=cpu, memory=memory),
        requests=requests,
        disk=draw(st.integers(5 * 1024, 20 * 1024)) * MIB,
        workspace=draw(workspaces(runtime.name)),
        memory_overcommit=overcommit,
        processes=1024,
        max_age=24,
        priority=draw(st.integers(0, 1000)),
    )


def workspaces(runtime: str) -> st.SearchStrategy[Workspace | None]:
    """Any workspace that a sandbox under that runtime can have, or none."""
    if runtime in WITHOUT_SHARED_FILES:
        return st.none()
    own = st.builds(
        Workspace.model_construct,
        kind=st.sampled_from(["local", "ebs"]),
        size=st.integers(1, 200).map(lambda gibibytes: gibibytes * 2**30),
    )
    return st.none() | own


@st.composite
def tenants_with_classes(draw: st.DrawFn) -> tuple[Tenant, dict[str, AgentClass]]:
    """A tenant with one to four classes of its own."""
    classes = {
        name: draw(agent_classes())
        for name in draw(st.lists(st.sampled_from("abcd"), min_size=1, unique=True))
    }
    agents = {name: draw(st.integers(1, 5000)) for name in classes}
    return tenant(agents=agents), classes
