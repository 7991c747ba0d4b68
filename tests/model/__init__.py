"""A model of delivery: fence, offsets, natural keys, outbox and relay under every interleaving.

Hypothesis chooses what happens next (`machine.py`); what must hold (`invariants.py`) is checked
after each step and once more when everything has come to rest. `mutants.py` breaks the rules one by
one, and each broken one must be found.

*Real*: PostgreSQL with its locks, transactions and advisory locks, and all of `shared/messaging`:
the loops `Consumer.run` and `Relay.run` with the guard, the outbox and the refusals inside them.

*Scripted*, because none of it can be stopped between two steps in a real one:

- Kafka (`kafka.py`): partitions are lists. Its consumer keeps positions, pauses and seeks, starts
  at the group's committed offset where nobody seeks, tells its listener of assignments as an eager
  group does, and raises where an offset is outside the log. Its producer has messages appended,
  then acknowledged; either may fail.
- The way to PostgreSQL (`postgres.py`): a statement may never arrive, its answer may be lost, and
  it may arrive late. A session that ends is rolled back, and its locks are released, by the server.
- Time: waits return at once or when the script says so.

Each statement and each send is a gate at which a process is held until the script lets it pass,
fail or die (`processes.py`).
"""
