"""Recording and alert rules: data, and what it becomes."""
