"""The SQL, each statement named and explained."""
