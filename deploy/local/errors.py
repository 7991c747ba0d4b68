"""What a person at the terminal is told: one line that says what to do."""


class LocalError(Exception):
    """Stops the command; its text is shown without a traceback."""
