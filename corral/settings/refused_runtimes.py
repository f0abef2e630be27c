"""Runtimes that people ask for and that there are none of, with the state of the field.

Kata's: https://github.com/kata-containers/kata-containers/tree/4.1.0/src/runtime/config, and what
was there before.
"""

from __future__ import annotations

ARM_CCA = (
    "Arm CCA isn't to be had: no public cloud offers Realms, and Kata took its support out before "
    "4.0 because nobody tested it (kata-containers #13367); a proposal to bring it back as an "
    "experiment, outside of kata-deploy, is #13579"
)

REFUSED_RUNTIMES: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("kata-qemu-cca", "kata-qemu-cca-runtime-rs", "kata-cca"),
        (ARM_CCA, "use kata-qemu-snp or kata-qemu-tdx on amd64 metal of your own"),
    ),
    "kata-qemu-se": (
        "IBM Secure Execution is for s390x, which no pool has",
        "use kata-qemu-snp or kata-qemu-tdx on amd64 metal of your own",
    ),
    **dict.fromkeys(
        ("kata-qemu-sev", "kata-qemu-sev-es"),
        (
            "SEV without SNP lets a host replay and remap memory, and Kata dropped it",
            "use kata-qemu-snp",
        ),
    ),
    **dict.fromkeys(
        ("kata-qemu-coco-dev", "kata-qemu-coco-dev-runtime-rs"),
        ("it is for development: it encrypts nothing", "use kata-qemu-snp or kata-qemu-tdx"),
    ),
    "isolated-sandbox": (
        "a Nitro Sandbox in isolated mode trusts its node: it is a microVM, and none that Corral "
        "can size or limit",
        "use tier microvm, or runtime confidential-sandbox",
    ),
}
"""Runtimes that people ask for: why there is none, and what to do."""
