-- A session that was made from a film keeps the film itself instead of video.mkv. `frame.offset` and `frame.length` are then
-- the place of the frame's packet in the film, and `frame.checksum` is that of the decoded picture (NULL: its decoder may round
-- differently in another version), or of the JPEG if film.decoding is NULL.
CREATE TABLE film (
  id INTEGER PRIMARY KEY CHECK (id = 1), -- one row
  file TEXT,                             -- its name in the folder of the session; NULL: the film is at `path` and not here
  path TEXT NOT NULL,                    -- absolute path of the film at the import
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,                  -- hexadecimal
  decoding TEXT,                         -- JSON: track, size, rotation and colour; NULL: each packet is a JPEG
  head BLOB                              -- Matroska up to the first cluster: the codec and its parameters
);

-- The compressed pictures of the film in the order of decoding, also those that are no frames of the session.
CREATE TABLE film_packet (
  number INTEGER PRIMARY KEY,
  offset INTEGER NOT NULL,               -- in the film, in bytes
  length INTEGER NOT NULL,
  checksum INTEGER NOT NULL,             -- CRC-32 of the bytes
  film_ns INTEGER NOT NULL,              -- time of display on the film's own clock
  is_key INTEGER NOT NULL                -- 1: decoding can begin here
);
