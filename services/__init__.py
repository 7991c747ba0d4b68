"""The six services; each knows the others only by the events on Kafka."""
