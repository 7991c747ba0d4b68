"""What tests stand on: a real PostgreSQL, a real Kafka, processes of the services.

Fixtures: `servers` (session), `database` (a fresh migrated database for each call), `topic_prefix`
(topics of its own for each test), `shared_data`. Functions: `eventually`, `running_service`.
"""
