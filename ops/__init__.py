"""The operator's command: is the system well, and do its figures agree.

It belongs to no service and to no way of deployment: it asks every service over HTTP, by the
addresses in the settings, and holds no address of a database.
"""
