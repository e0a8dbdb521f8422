"""Authentication: root, a user per Patroni cluster, and what Patroni says of itself."""
