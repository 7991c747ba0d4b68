"""What happens on each input: read, decide by the rules of `domain`, write, in one transaction."""
