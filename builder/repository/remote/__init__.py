"""A copy of the repository elsewhere, in an order that keeps clients whole: no rename can switch it."""
