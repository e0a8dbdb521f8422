"""Clients of a cluster, and what they notice."""
