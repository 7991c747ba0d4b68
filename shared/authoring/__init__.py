"""Promises in the words of their authors: Spanish YAML in, what is judged out, faults by line."""
