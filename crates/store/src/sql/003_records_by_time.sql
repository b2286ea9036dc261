-- What happened of one kind in a stretch of time, without reading the rest of the session: asking a study for the
-- seconds around its events costs what the events cost. Samples have no kind.
CREATE INDEX record_by_time ON record (stream, type, kind, at_ns);
