"""Backups of the cluster's data: made, verified, kept for a time."""
