"""This machine: programs, files, locks, progress, and faults of its own."""
