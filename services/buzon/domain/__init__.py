"""The buzon's rules: values in, values out; no clock, no database."""
