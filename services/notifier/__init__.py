"""Decides who must answer, by when.

Reads the catalogue (`cartas.v1`) and what the evaluator says of compromisos (`breaches.v1`).
Opens one corrective action for each breach, mails the post that answers for it, escalates by
working days, keeps the ledger of what was sent. Publishes `corrective-actions.v1`.
"""
