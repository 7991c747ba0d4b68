"""Rules of alerts and corrective actions: pure functions on values."""
