-- Streams that were added after the recording: imported events, annotations, ratings, frames scored afterwards.
-- NULL: raw, recorded live, never appended to since.
ALTER TABLE stream ADD COLUMN added_utc TEXT; -- RFC 3339
ALTER TABLE stream ADD COLUMN author TEXT;    -- who added it
