"""The 79 real promises with verdicts written by hand: promises.yaml says how it is read.

`python -m tests.corpus` writes docs/promises.md from it.
"""
