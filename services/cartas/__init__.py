"""Decides what is promised: municipality, units, posts, calendars and cartas with their versions.

Reads the catalogue that a municipality writes as YAML; publishes it as state on `cartas.v1`.
"""
