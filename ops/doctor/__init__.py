"""Is an installation set up as it should be: each check one line, with what to do where it is not.

It looks from where it runs and with what its environment says: with the settings of one service it
looks as that service, with those of all it looks at all. It changes nothing and sends no mail.
"""
