"""etcd-deb: Debian packages of upstream's etcd releases."""

__version__ = "0.2.0"
