"""The language on Kafka: CloudEvents 1.0 as pydantic models, the topics they travel on, and their identities."""
