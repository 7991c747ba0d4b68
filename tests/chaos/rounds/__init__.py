"""Random faults under load, one after the other, on a real chain that stays up between them.

`python -m tests.chaos.rounds` draws them from seeds and writes tests/chaos/rounds/log.md; the short
form is test_rounds.py. Each round has a town of its own, whose windows close within it. What
all towns come to must be what they come to without a fault, whatever happened: kills, processes
and servers that stand still, bad ways between any two, full disks, wrong clocks, messages that
Kafka lost before they were read.
"""
