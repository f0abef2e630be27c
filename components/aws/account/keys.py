"""Keys of the customer's own, one for each kind of thing that is encrypted."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import kms

from components.aws.policies import Document, key_policy, logs_key_policy, volumes_key_policy
from components.children import Children

DAYS_TO_REGRET = 30
"""Between deleting a key and losing what it encrypts: the longest that KMS offers."""


@dataclass(frozen=True, kw_only=True)
class KeysArgs:
    """`name` begins the keys' aliases; account and region are those of the stack."""

    name: str
    account_id: str
    region: str
    protect: bool


class Keys(pulumi.ComponentResource):
    """Keys for Kubernetes' secrets, for logs and for nodes' volumes. They rotate by themselves."""

    secrets: pulumi.Output[str]
    logs: pulumi.Output[str]
    volumes: pulumi.Output[str]

    def __init__(
        self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:aws:Keys", name, None, opts)
        self._children = Children(parent=self)
        where = (args.account_id, args.region)
        self.secrets = self._key("secrets", "Kubernetes secrets", key_policy(*where), args)
        self.logs = self._key("logs", "Logs", logs_key_policy(*where), args)
        self.volumes = self._key("volumes", "Volumes of nodes", volumes_key_policy(*where), args)
        self.register_outputs({"secrets": self.secrets, "logs": self.logs, "volumes": self.volumes})

    def _key(self, name: str, what: str, policy: Document, args: KeysArgs) -> pulumi.Output[str]:
        """The ARN of a new key, once its alias stands."""
        key = kms.Key(
            name,
            description=f"{what} of {args.name}",
            enable_key_rotation=True,
            deletion_window_in_days=DAYS_TO_REGRET,
            policy=json.dumps(policy),
            # Without its key, what it encrypted is gone.
            opts=self._children.options(protect=args.protect),
        )
        kms.Alias(
            name,
            name=f"alias/{args.name}/{name}",
            target_key_id=key.key_id,
            opts=self._children.options(),
        )
        return key.arn
