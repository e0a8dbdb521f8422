"""A cluster from one file: what each of its nodes is given, and whether it is well."""
