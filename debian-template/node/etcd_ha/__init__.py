"""The commands of etcd-ha that are written in Python.

The package etcd-ha ships it for the nodes, and etcd-deb imports it: it needs Python's standard library alone.
"""
