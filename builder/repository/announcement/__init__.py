"""What people and nodes are told of a repository."""
