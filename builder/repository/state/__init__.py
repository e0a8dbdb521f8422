"""What a repository is on the disk: its layout and settings, its suites, and who may change them."""
