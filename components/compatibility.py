"""With which Kubernetes the platform's parts are known to work."""

from __future__ import annotations

OLDEST_KUBERNETES = (1, 33)
"""User namespaces and in-place resize are on by default from here; older API servers drop
`hostUsers: false` silently, which would admit sandboxes without one."""

NEWEST_KUBERNETES = (1, 36)
"""What the platform is built and tested against."""
