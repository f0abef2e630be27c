"""The rule set, as data and pure checks, and its judges.

`rules/` holds what must hold in a tenant's namespace, each rule in Python and in CEL;
`program/` what must hold for everything that the program registers. `admission.py` turns the
first into the API server's policies, `check.py` and `pack.py` judge a plan by both.
"""
