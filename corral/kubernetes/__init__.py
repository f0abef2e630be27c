"""A small client of the Kubernetes API: what this project needs of it, and nothing else."""

from corral.kubernetes.access import Access
from corral.kubernetes.client import Api
from corral.kubernetes.discovery import Discovery, Resource
from corral.kubernetes.errors import (
    ApiError,
    Cause,
    CredentialError,
    KubeconfigError,
    Unreachable,
)
from corral.kubernetes.retries import Retries

__all__ = [
    "Access",
    "Api",
    "ApiError",
    "Cause",
    "CredentialError",
    "Discovery",
    "KubeconfigError",
    "Resource",
    "Retries",
    "Unreachable",
]
