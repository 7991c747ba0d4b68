"""The language on Kafka: CloudEvents 1.0 as pydantic models, their topics, their identities."""
