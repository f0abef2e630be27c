"""The policy pack. Every rule lives in corral.policy; constructing the pack serves it, for ever."""

import sys
from pathlib import Path

# The host starts this with the pack's own folder as the first place to import from.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pulumi_policy import EnforcementLevel, PolicyPack

from corral.policy.pack import pack_policies

PolicyPack(name="corral", enforcement_level=EnforcementLevel.MANDATORY, policies=pack_policies())
