"""The ground of the keeper's commands: words, a lock, the cluster, and what outlives a broken run."""
