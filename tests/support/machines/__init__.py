"""Debian nodes that boot on this machine, and roots that do not."""
