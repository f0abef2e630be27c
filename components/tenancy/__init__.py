"""Tenancy: namespaces, quotas, limits, identities, rights, and the admission that guards them."""
