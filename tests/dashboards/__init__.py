"""Every query of every panel, asked of a real Prometheus that scrapes a running system."""
