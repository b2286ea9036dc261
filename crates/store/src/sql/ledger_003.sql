-- Random keys of this server, by name. They are never sent.
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL);

-- Who takes part in which study. `link` is the keyed hash of the identifier in a recruiting link, for example Prolific's.
-- The identifier itself is not stored.
CREATE TABLE enrolment (
  study TEXT NOT NULL,
  participant TEXT NOT NULL,
  link BLOB,
  condition TEXT,
  enrolled_utc TEXT NOT NULL,
  PRIMARY KEY (study, participant)
);
CREATE UNIQUE INDEX enrolment_of_link ON enrolment (study, link);
INSERT INTO enrolment (study, participant, enrolled_utc)
  SELECT study, participant, min(created_utc) FROM remote_session GROUP BY study, participant;

-- The owner's note about a session. The folder is relative to the folder of sessions.
CREATE TABLE session_note (folder TEXT PRIMARY KEY, text TEXT NOT NULL, changed_utc TEXT NOT NULL);
