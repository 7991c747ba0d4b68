"""Every alert seen firing: a fault on the running system, Prometheus, Alertmanager, a webhook.

`make alerts` provokes the faults one after the other and writes log.md. Rules, routes and
inhibitions are those that are delivered; only waits are shortened (rewriting.py).
"""
