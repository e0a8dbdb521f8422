"""The keeper's commands, a module each: main() takes the words behind the command and returns its status."""
