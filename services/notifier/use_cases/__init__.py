"""What happens on each input: read, decide by the domain, write, in one transaction."""
