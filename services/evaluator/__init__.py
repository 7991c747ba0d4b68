"""The evaluator decides whether each promise was kept.

It applies written promises (`cartas.v1`) to facts (`measurements.v1`, `complaints.v1`): a verdict
for each case, a result for each compromiso, unit and window (`results.v1`), and what a unit must
know of (`breaches.v1`). It knows no ticket system.
"""
