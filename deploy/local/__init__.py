"""Runs the whole system on one machine without containers.

`bootstrap.py` makes the virtual environment with the standard library alone; everything else runs
inside it. The state of a run lives in `.run/`, programs and caches in `.cache/`.
"""
