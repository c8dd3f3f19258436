"""What each command does with its options: call the package, print the outcome, return the exit code.

Tables go to stdout, messages and progress to stderr.
"""
