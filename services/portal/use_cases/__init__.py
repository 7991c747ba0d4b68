"""What happens on each input: reads and writes in one transaction."""
