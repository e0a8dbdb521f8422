"""What a keeper of an etcd cluster runs: the commands of etcd-ha that are Python.

The package etcd-ha ships it for the nodes, and etcd-deb imports it: it needs Python's standard library alone.
"""
