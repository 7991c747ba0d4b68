"""Errors of the house.

    CartasError
    ├── ConfigurationError     a setting, a migration or a topic is not as the program needs it
    ├── FencedError            a partition moved to another owner while we worked on it
    ├── ClientStalledError     Kafka holds messages that its client does not bring
    ├── ReleasedError          a person has let halted partitions go on
    └── ConsumerStoppedError   too many unexpected errors of our own code in a row

An input that cannot be taken is no exception: it is refused by name (`Transaction.refuse`).
"""


class CartasError(Exception):
    """Base of all errors that we raise on purpose."""


class ConfigurationError(CartasError):
    """The program cannot start like this; the message says what to set."""


class FencedError(CartasError):
    """Another process owns the partition now; its transaction, not ours, counts."""


class ClientStalledError(CartasError):
    """The client fell silent while Kafka holds more for us; a new one goes on."""


class ReleasedError(CartasError):
    """A person has let halted partitions be read again; a new client claims them."""


class ConsumerStoppedError(CartasError):
    """The fault is ours, not the messages': they are safer waiting in their topic."""
