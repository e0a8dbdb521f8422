"""Repositories, their remotes, and their clients."""
