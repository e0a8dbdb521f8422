"""A static, signed apt repository: what it holds, how it is written, and the one rename that switches it."""
