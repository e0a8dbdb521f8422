"""From http to https on a living cluster, and back, in three stages."""
