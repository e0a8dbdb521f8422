"""Certificates of a cluster: made, judged, listed, renewed, replaced."""
