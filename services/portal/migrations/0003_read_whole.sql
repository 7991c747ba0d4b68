-- What is only read whole is kept as it was written: jsonb is put together anew each time it is read.
ALTER TABLE catalogue ALTER COLUMN data TYPE json USING data::json;
ALTER TABLE result ALTER COLUMN data TYPE json USING data::json;
ALTER TABLE action ALTER COLUMN data TYPE json USING data::json;
