"""Resolvers on the cluster, each with a program beside it that keeps its files."""

from __future__ import annotations

from components.documents import Document
from components.network.egress.pods import (
    CLIENT_MOUNT,
    CONTROL_URL,
    account_document,
    budget_document,
    client_volume,
    container,
    control_alias,
    deployment_document,
    empty_volume,
    in_egress,
    pod_spec,
    probe,
)
from components.network.gateway.discovery import CERTIFICATES_FOLDER
from components.network.policies.places import RESOLVER
from components.network.resolver.corefile import (
    HEALTH_PORT,
    METRICS_PORT,
    READY_PORT,
    shared_corefile,
)

REPLICAS = 2
COREFILE = "resolver-corefile"
COREFILE_FOLDER = "/etc/egress/resolver"
FILES_FOLDER = "/run/names"
FILES_PORT = 8082
"""Whether the files are there."""


def resolver_documents() -> list[Document]:
    """Account, budget and what CoreDNS starts with; without its pods."""
    return [
        account_document(RESOLVER),
        in_egress("ConfigMap", COREFILE, data={"Corefile": shared_corefile(FILES_FOLDER)}),
        budget_document(RESOLVER),
    ]


def resolver_deployment_document(*, image: str, files_image: str, control: object) -> Document:
    """Its pods. `control` is the address of the control plane's Service."""
    files = container(
        "files",
        files_image,
        command=[
            *("python", "-m", "warden.egress.corefiles"),
            *("--control", CONTROL_URL),
            *("--certificates", CERTIFICATES_FOLDER),
            *("--folder", FILES_FOLDER),
            *("--health-port", str(FILES_PORT)),
        ],
        requests={"cpu": "20m", "memory": "64Mi", "ephemeral-storage": "16Mi"},
        memory="256Mi",
        mounts={"names": (FILES_FOLDER, True), **CLIENT_MOUNT},
        # A resolver without files would answer nobody and pass for ready: it starts after them.
        restartPolicy="Always",
        startupProbe=probe("/ready", FILES_PORT, seconds=1, failures=300),
    )
    answers = container(
        "resolver",
        image,
        command=["/resolver", "-conf", f"{COREFILE_FOLDER}/Corefile"],
        requests={"cpu": "200m", "memory": "128Mi", "ephemeral-storage": "16Mi"},
        memory="512Mi",
        mounts={"corefile": (COREFILE_FOLDER, False), "names": (FILES_FOLDER, False)},
        ports=[{"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"}],
        readinessProbe=probe("/ready", READY_PORT),
        livenessProbe=probe("/health", HEALTH_PORT, seconds=10),
    )
    pod = pod_spec(
        RESOLVER,
        containers=[answers],
        initContainers=[files],
        volumes=[
            {"name": "corefile", "configMap": {"name": COREFILE}},
            empty_volume("names", "256Mi"),
            client_volume(),
        ],
        hostAliases=control_alias(control),
        terminationGracePeriodSeconds=15,
    )
    return deployment_document(RESOLVER, pod, replicas=REPLICAS)
