"""Pulumi's own engine carries out the program's AWS resources, against moto.

Real are the engine, its state and the language host. A double is the provider: it makes a resource
by the adapters beside this package, says by the table of `components.aws.replacing` what must be
replaced, and deletes by the calls that the provider's source makes.
"""
