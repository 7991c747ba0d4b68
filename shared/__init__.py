"""What the services share: contracts, the criterion algebra, working time, messaging, database, HTTP."""
