-- The trace (W3C traceparent) that a refused message carried: `dlt list` and `show` tell it.
ALTER TABLE refusal ADD COLUMN traceparent text;
