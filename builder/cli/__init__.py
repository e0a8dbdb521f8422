"""The command line: alone it knows click and prints.

Results go to standard output, all else to standard error.
"""
