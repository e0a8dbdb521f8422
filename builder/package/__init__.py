"""The package etcd-ha: made from verified binaries."""
