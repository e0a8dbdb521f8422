"""Releases of etcd: real ones, made-up ones, and servers that carry them."""
