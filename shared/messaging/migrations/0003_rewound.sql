-- When a person last let a partition be read again from its beginning: messages were lost, or the
-- topic was made anew. How far anything was complete before that says nothing any more.
ALTER TABLE kafka_offset ADD COLUMN rewound_at timestamptz;
