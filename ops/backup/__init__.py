"""Copies of a PostgreSQL with the WAL that it archives beside them, and the way back.

Made by PostgreSQL's own programs (docs/decisions/0054): `pg_basebackup` takes a copy of the whole
server over the network while it works, every file is compared with its manifest, and the server's
`archive_command` keeps the WAL. What can be made again from Kafka is in the copies as well, but
they are for what is nowhere else: folios, approvals, actions, accounts, sent mail.
"""
