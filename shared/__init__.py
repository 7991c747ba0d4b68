"""What the services share: contracts, criteria, working time, messaging, database, HTTP."""
