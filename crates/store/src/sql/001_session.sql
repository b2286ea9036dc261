-- One session of affectograph. The picture of each frame is in video.mkv beside this file.
-- All times `*_ns` are nanoseconds on the session's monotonic clock; session.zero_utc is the instant of its zero.

CREATE TABLE session (
  id INTEGER PRIMARY KEY CHECK (id = 1), -- one row
  participant TEXT NOT NULL,             -- pseudonym, sub-01
  session INTEGER NOT NULL,              -- counts the participant's sessions from 1
  study TEXT NOT NULL,                   -- short name of the study
  study_title TEXT NOT NULL,
  study_toml TEXT NOT NULL,              -- the study file as it was when the session was recorded
  zero_utc TEXT NOT NULL,                -- RFC 3339: when the clock stood at zero
  software TEXT NOT NULL,                -- program and version that recorded
  host TEXT NOT NULL,                    -- operating system and machine
  camera TEXT NOT NULL,                  -- JSON: name, mode and fixed controls
  models TEXT NOT NULL,                  -- JSON: networks with version and sha256
  consent TEXT,                          -- JSON: when it was given and the sha256 of its text
  overridden_checks TEXT NOT NULL,       -- JSON: failing checks that the operator chose to record with
  -- Filled in when the session is closed:
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed', 'recovered')),
  end_ns INTEGER,                        -- when recording was stopped, or the last thing stored before a crash
  records INTEGER,
  events INTEGER,
  frames INTEGER,
  lost INTEGER,                          -- records and frames lost for good, as the gaps say
  conflicts INTEGER,                     -- records refused because another one had their stream and number
  quality TEXT                           -- JSON: the quality report
);

CREATE TABLE stream (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('samples', 'events')),
  description TEXT NOT NULL,
  nominal_rate_hz REAL,                  -- NULL: records come when they come
  software TEXT NOT NULL                 -- what produced it; a network with version and sha256
);

CREATE TABLE field (
  stream INTEGER NOT NULL REFERENCES stream,
  position INTEGER NOT NULL,             -- from 0, in the order of record.data
  name TEXT NOT NULL,
  unit TEXT NOT NULL,                    -- SI symbol, px, deg; 1: a plain number
  description TEXT NOT NULL,
  PRIMARY KEY (stream, position)
) WITHOUT ROWID;

CREATE TABLE record (
  id INTEGER PRIMARY KEY,                -- order of storing
  stream INTEGER NOT NULL REFERENCES stream,
  seq INTEGER NOT NULL,                  -- counts the stream's records
  at_ns INTEGER NOT NULL,
  type INTEGER NOT NULL,                 -- 0 sample, 1 event, 2 gap
  frame INTEGER,                         -- sample: number of the video frame it was read from
  kind TEXT,                             -- event: what happened; gap: why data is missing
  data,                                  -- sample: BLOB, one 32-bit little-endian float a field; event: JSON; gap: a note
  until_ns INTEGER,                      -- gap: its end
  lost INTEGER,                          -- gap: how many are missing, where known
  UNIQUE (stream, seq)
);

CREATE TABLE frame (
  number INTEGER PRIMARY KEY,            -- counts the captured frames from 0
  at_ns INTEGER NOT NULL,
  offset INTEGER NOT NULL,               -- of the JPEG in video.mkv, in bytes
  length INTEGER NOT NULL,
  time_source TEXT NOT NULL,             -- where at_ns comes from: driver, arrival, file, rendered
  device_sequence INTEGER                -- the driver's own count
);

-- The numbers of the samples, one a row, for reading without this program:
--   SELECT at_ns, value FROM value WHERE stream = 'affect' AND field = 'valence';
-- A value that is no finite number reads as NULL.
CREATE VIEW value AS
WITH word AS (
  SELECT record.stream, record.seq, record.at_ns, record.frame, field.name AS field, field.unit,
         hex(substr(record.data, 4 * field.position + 1, 4)) AS digits, '0123456789ABCDEF' AS d
  FROM record JOIN field ON field.stream = record.stream
  WHERE record.type = 0
), float AS (
  SELECT *, ((instr(d, substr(digits, 7, 1)) - 1) << 28) | ((instr(d, substr(digits, 8, 1)) - 1) << 24)
          | ((instr(d, substr(digits, 5, 1)) - 1) << 20) | ((instr(d, substr(digits, 6, 1)) - 1) << 16)
          | ((instr(d, substr(digits, 3, 1)) - 1) << 12) | ((instr(d, substr(digits, 4, 1)) - 1) << 8)
          | ((instr(d, substr(digits, 1, 1)) - 1) << 4) | (instr(d, substr(digits, 2, 1)) - 1) AS bits
  FROM word
), part AS (
  SELECT *, CASE WHEN bits >> 31 THEN -1.0 ELSE 1.0 END AS sign, ((bits >> 23) & 255) AS exponent,
         (bits & 8388607) + CASE WHEN ((bits >> 23) & 255) THEN 8388608 ELSE 0 END AS mantissa,
         max(((bits >> 23) & 255), 1) - 150 AS power
  FROM float
)
SELECT stream.name AS stream, seq, at_ns, frame, field, unit,
       CASE WHEN exponent = 255 THEN NULL
            WHEN power >= 0 THEN sign * mantissa * (1 << min(power, 62)) * (1 << max(power - 62, 0))
            ELSE sign * mantissa / (1 << min(-power, 62)) / (1 << max(min(-power - 62, 62), 0))
                 / (1 << max(-power - 124, 0))
       END AS value
FROM part JOIN stream ON stream.id = part.stream;

CREATE VIEW event AS
SELECT stream.name AS stream, seq, at_ns, record.kind, data
FROM record JOIN stream ON stream.id = record.stream WHERE type = 1;

CREATE VIEW gap AS
SELECT stream.name AS stream, seq, at_ns, until_ns, record.kind AS reason, lost, data AS note
FROM record JOIN stream ON stream.id = record.stream WHERE type = 2;
