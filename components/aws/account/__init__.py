"""How the program gets into an AWS account, and the keys that things in it are encrypted with."""
