"""The command `corral`: what a person or CI calls; it draws on every other room."""
