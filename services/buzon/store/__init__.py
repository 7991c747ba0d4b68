"""The buzon's SQL."""
