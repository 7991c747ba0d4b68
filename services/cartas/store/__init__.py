"""The catalogue and the life of carta versions in PostgreSQL."""
