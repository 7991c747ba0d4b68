-- The number of a publication is the instant of it in milliseconds: after a restore it goes on above.
ALTER TABLE judged_window ALTER COLUMN sequence TYPE bigint;
