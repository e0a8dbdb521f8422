"""What is wrong with a cluster: one look at all of it, and the rules of what is a fault."""
