"""The operator's command: is the system well, do its figures agree, is it set up as it should be.

It belongs to no service and to no way of deployment. `status` and `verify` ask every service over
HTTP, by the addresses in the settings, and hold no address of a database; `backup` and `doctor`
speak to PostgreSQL and Kafka themselves.
"""
