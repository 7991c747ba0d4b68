"""The SQL; each statement is named and the transaction is the caller's."""
