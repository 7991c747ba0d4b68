"""What happens on each input: read, decide by the domain's rules, write, in one transaction."""
