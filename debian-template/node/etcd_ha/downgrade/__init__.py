"""Back to an older minor version: what the members say of it, and what apt has."""
