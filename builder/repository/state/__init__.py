"""A repository on disk: its layout, settings and suites, and which user may change them."""
