"""The portal decides nothing: it shows what the others decided, and takes people's steps to them.

It reads `cartas.v1`, `results.v1`, `breaches.v1`, `complaints.v1` and `corrective-actions.v1` into
tables of its own and publishes nothing. Texts, cases and steps are asked of the other services,
with the service credential, when a person who may see them opens a page.
"""
