"""Upstream's releases: which there are, their files, and what makes those trusted."""
