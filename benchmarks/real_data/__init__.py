"""The real data sets through the running system: import, Kafka, verdicts, results."""
