"""Observability: what is measured, what is alerted on, and what shows it.

Packages import nothing here: the pure functions of a layer are had without Pulumi's SDK.
"""
