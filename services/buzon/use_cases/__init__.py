"""What happens on each input, in one transaction."""
