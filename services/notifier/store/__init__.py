"""The SQL of the notifier, each statement named; functions work on one transaction."""
