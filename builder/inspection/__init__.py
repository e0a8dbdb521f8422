"""A package against the release that it says it was made from."""
