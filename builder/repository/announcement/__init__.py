"""What a repository tells people and nodes about itself."""
