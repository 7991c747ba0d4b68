"""The rehearsal: `docker compose` for real, from nothing to an upgrade, with what was seen of it.

It needs Docker's engine with `docker compose` 2.24 or newer and Python's standard library; it works
in copies of the project, under a project name and ports of its own.
"""
