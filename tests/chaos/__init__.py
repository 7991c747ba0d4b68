"""Kill -9 while traffic runs, and compare with a run that nobody disturbed.

`python -m tests.chaos` takes seeds and targets and writes tests/chaos/log.md; the short form is
test_chaos.py. The traffic is the simulator's, of some past days, with campaigns as windows, so that
every result becomes final as soon as the last event is in. The same seed gives the same events in
the same order to both runs: what is decided must be equal.
"""
