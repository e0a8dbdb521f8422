"""The data of a cluster that lost all its members, from a snapshot."""
