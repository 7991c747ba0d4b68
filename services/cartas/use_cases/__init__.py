"""Loading a catalogue, and the steps of a carta version: each one transaction."""
