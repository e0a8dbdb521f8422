"""What tests break, and inputs that are wrong in known ways."""
