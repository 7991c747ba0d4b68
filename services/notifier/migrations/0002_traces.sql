-- The trace (W3C traceparent) of what caused each: from a breach to what the mail server answered.
ALTER TABLE action_trigger ADD COLUMN traceparent text;
ALTER TABLE alert ADD COLUMN traceparent text;
ALTER TABLE mail ADD COLUMN traceparent text;
ALTER TABLE delivery ADD COLUMN traceparent text;
