"""Every field of a pod, and what was decided about it: the rules that judge it, or why none does.

A test compares this with what a real API server serves, so that a newer Kubernetes with a field
that nobody has thought about is noticed when its version is raised, not when the field is used.
"""

from __future__ import annotations

from collections.abc import Mapping

Decision = tuple[str, ...] | str
"""Rule ids, or the reason why the field does no harm."""

_OWN_PROCESSES = "what runs inside; the sandbox is there to run anything"
_ITS_OWN_TROUBLE = "when and how the sandbox itself is restarted or ended"
_INSIDE = "seen by the sandbox alone"
_OWN_NAMESPACE = "names objects of the tenant's own namespace, which are its own"
_SERVER_SETS = "the API server sets it from the RuntimeClass or PriorityClass, and refuses another"
_NETWORK = "where names are asked for; which servers are reached is network policy's"
_KUBELET_FILE = "how a file appears inside; its content is the volume's"

_CONTAINER: dict[str, Decision] = {
    "args": _OWN_PROCESSES,
    "command": _OWN_PROCESSES,
    "env": _OWN_NAMESPACE,
    "envFrom": _OWN_NAMESPACE,
    "image": ("image-digest", "image-tag"),
    "imagePullPolicy": "when it is pulled, not which; kubelets check pull credentials for images "
    "that are there already",
    "lifecycle": ("probe-hosts",),
    "livenessProbe": ("probe-hosts",),
    "name": _INSIDE,
    "ports": ("host-ports",),
    "readinessProbe": ("probe-hosts",),
    "resizePolicy": _ITS_OWN_TROUBLE,
    "resources": (
        "cpu-limit",
        "memory-limit",
        "disk-limit",
        "cpu-within-class",
        "memory-within-class",
        "disk-within-class",
        "memory-request",
        "resource-names",
    ),
    "restartPolicy": ("cpu-within-class", "memory-within-class", "disk-within-class"),
    "restartPolicyRules": _ITS_OWN_TROUBLE,
    "securityContext": ("privileged",),
    "startupProbe": ("probe-hosts",),
    "stdin": _INSIDE,
    "stdinOnce": _INSIDE,
    "terminationMessagePath": _INSIDE,
    "terminationMessagePolicy": _INSIDE,
    "tty": _INSIDE,
    "volumeDevices": ("block-devices",),
    "volumeMounts": ("mount-propagation",),
    "workingDir": _INSIDE,
}

FIELDS: Mapping[str, Mapping[str, Decision]] = {
    "PodSpec": {
        "activeDeadlineSeconds": _ITS_OWN_TROUBLE,
        "affinity": ("node-affinity", "pod-affinity"),
        "automountServiceAccountToken": ("token-mount",),
        "containers": ("uid",),
        "dnsConfig": _NETWORK,
        "dnsPolicy": _NETWORK,
        "enableServiceLinks": "adds the addresses of the namespace's own services to environments",
        "ephemeralContainers": ("uid",),
        "hostAliases": "the sandbox's own /etc/hosts; what may not be reached stays unreachable",
        "hostIPC": ("host-namespaces",),
        "hostNetwork": ("host-namespaces",),
        "hostPID": ("host-namespaces",),
        "hostUsers": ("user-namespace",),
        "hostname": _INSIDE,
        "hostnameOverride": _INSIDE,
        "imagePullSecrets": _OWN_NAMESPACE,
        "initContainers": ("uid",),
        "nodeName": ("node-name",),
        "nodeSelector": ("node-selector",),
        "os": ("windows",),
        "overhead": _SERVER_SETS,
        "preemptionPolicy": _SERVER_SETS,
        "priority": _SERVER_SETS,
        "priorityClassName": ("priority-class",),
        "readinessGates": _ITS_OWN_TROUBLE,
        "resourceClaims": ("device-claims",),
        "resources": (
            "cpu-within-class",
            "memory-within-class",
            "memory-request",
            "resource-names",
        ),
        "restartPolicy": _ITS_OWN_TROUBLE,
        "runtimeClassName": ("runtime-class",),
        "schedulerName": ("scheduler",),
        "schedulingGates": "keeps the sandbox waiting; what may change meanwhile is judged",
        "schedulingGroup": ("scheduling-group",),
        "securityContext": ("uid",),
        "serviceAccount": "the old name of serviceAccountName; the API server keeps them equal",
        "serviceAccountName": ("service-account",),
        "setHostnameAsFQDN": _INSIDE,
        "shareProcessNamespace": ("shared-processes",),
        "subdomain": _INSIDE,
        "terminationGracePeriodSeconds": ("grace-period",),
        "tolerations": ("tolerations",),
        "topologySpreadConstraints": "counts pods of its own namespace only",
        "volumes": ("volume-types", "scratch-size", "token-volume"),
    },
    "Container": _CONTAINER,
    "EphemeralContainer": {
        **_CONTAINER,
        "resources": "the API server refuses it: it lives in what the pod has",
        "targetContainerName": "shares the processes of a container of the same sandbox",
    },
    "SecurityContext": {
        "allowPrivilegeEscalation": ("escalation",),
        "appArmorProfile": ("apparmor",),
        "capabilities": ("capabilities-drop", "capabilities-add"),
        "privileged": ("privileged",),
        "procMount": ("proc-mount",),
        "readOnlyRootFilesystem": ("read-only-root",),
        "runAsGroup": ("gid",),
        "runAsNonRoot": ("non-root",),
        "runAsUser": ("uid",),
        "seLinuxOptions": ("selinux",),
        "seccompProfile": ("seccomp",),
        "windowsOptions": ("windows",),
    },
    "PodSecurityContext": {
        "appArmorProfile": ("apparmor",),
        "fsGroup": ("groups",),
        "fsGroupChangePolicy": "when the kubelet changes the group of a volume's files",
        "runAsGroup": ("gid",),
        "runAsNonRoot": ("non-root",),
        "runAsUser": ("uid",),
        "seLinuxChangePolicy": "how the kubelet labels a volume's files",
        "seLinuxOptions": ("selinux",),
        "seccompProfile": ("seccomp",),
        "supplementalGroups": ("groups",),
        "supplementalGroupsPolicy": "whether the image's own /etc/group counts, inside",
        "sysctls": ("sysctls",),
        "windowsOptions": ("windows",),
    },
    "ResourceRequirements": {
        "claims": "names the pod's resourceClaims, of which there are none",
        "limits": ("cpu-limit", "resource-names"),
        "requests": ("memory-request", "resource-names"),
    },
    "Volume": {
        "name": _INSIDE,
        **dict.fromkeys(
            ("configMap", "secret", "downwardAPI", "persistentVolumeClaim"), _OWN_NAMESPACE
        ),
        "emptyDir": ("scratch-size", "scratch-medium", "scratch-within-class"),
        "projected": ("token-volume",),
        **dict.fromkeys(
            (
                "awsElasticBlockStore",
                "azureDisk",
                "azureFile",
                "cephfs",
                "cinder",
                "csi",
                "ephemeral",
                "fc",
                "flexVolume",
                "flocker",
                "gcePersistentDisk",
                "gitRepo",
                "glusterfs",
                "hostPath",
                "image",
                "iscsi",
                "nfs",
                "photonPersistentDisk",
                "portworxVolume",
                "quobyte",
                "rbd",
                "scaleIO",
                "storageos",
                "vsphereVolume",
            ),
            ("volume-types",),
        ),
    },
    "VolumeProjection": {
        "clusterTrustBundle": ("token-volume",),
        "configMap": _OWN_NAMESPACE,
        "downwardAPI": _OWN_NAMESPACE,
        "podCertificate": ("token-volume",),
        "secret": _OWN_NAMESPACE,
        "serviceAccountToken": ("token-volume",),
    },
    "EmptyDirVolumeSource": {
        "medium": ("scratch-medium",),
        "sizeLimit": ("scratch-size", "scratch-within-class"),
    },
    "VolumeMount": {
        "mountPath": _INSIDE,
        "mountPropagation": ("mount-propagation",),
        "name": _INSIDE,
        "readOnly": _KUBELET_FILE,
        "recursiveReadOnly": _KUBELET_FILE,
        "subPath": _KUBELET_FILE,
        "subPathExpr": _KUBELET_FILE,
    },
    "ContainerPort": {
        "containerPort": _INSIDE,
        "hostIP": "goes with hostPort, which is refused",
        "hostPort": ("host-ports",),
        "name": _INSIDE,
        "protocol": _INSIDE,
    },
    "HTTPGetAction": {
        "host": ("probe-hosts",),
        "httpHeaders": "goes to the sandbox itself",
        "path": "goes to the sandbox itself",
        "port": "goes to the sandbox itself",
        "scheme": "goes to the sandbox itself",
    },
    "TCPSocketAction": {"host": ("probe-hosts",), "port": "goes to the sandbox itself"},
    "LifecycleHandler": {
        "exec": _OWN_PROCESSES,
        "httpGet": ("probe-hosts",),
        "sleep": _ITS_OWN_TROUBLE,
        "tcpSocket": ("probe-hosts",),
    },
    "Probe": {
        "exec": _OWN_PROCESSES,
        "grpc": "goes to the sandbox itself: it has no host",
        "httpGet": ("probe-hosts",),
        "tcpSocket": ("probe-hosts",),
        **dict.fromkeys(
            (
                "failureThreshold",
                "initialDelaySeconds",
                "periodSeconds",
                "successThreshold",
                "terminationGracePeriodSeconds",
                "timeoutSeconds",
            ),
            _ITS_OWN_TROUBLE,
        ),
    },
    "Affinity": {
        "nodeAffinity": ("node-affinity",),
        "podAffinity": ("pod-affinity",),
        "podAntiAffinity": ("pod-affinity",),
    },
    "PodAffinityTerm": {
        "labelSelector": "chooses among the tenant's own pods",
        "matchLabelKeys": "chooses among the tenant's own pods",
        "mismatchLabelKeys": "chooses among the tenant's own pods",
        "namespaceSelector": ("pod-affinity",),
        "namespaces": ("pod-affinity",),
        "topologyKey": "how near; whom is judged",
    },
    "Toleration": dict.fromkeys(
        ("effect", "key", "operator", "tolerationSeconds", "value"), ("tolerations",)
    ),
}
