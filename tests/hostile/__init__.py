"""Input that nobody means well with, against every way into the running services.

`make hostile` sends ten thousand and writes docs/hostile-input.md; `make test` sends some.
"""
