"""A lab of real Debian nodes on this machine, and the real etcd releases that they run."""
