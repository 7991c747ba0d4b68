-- The trace (W3C traceparent) of a case's last revision: an open case becomes late by the clock, and
-- what is then said of it leads back to the event. Kept beside the facts, never in them or in a result.
ALTER TABLE measured_case ADD COLUMN traceparent text;
ALTER TABLE trigger_waiting ADD COLUMN traceparent text;
