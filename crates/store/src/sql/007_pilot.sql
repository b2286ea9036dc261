-- 1: recorded by the operator to try the study, without a participant. NULL: not a pilot.
ALTER TABLE session ADD COLUMN pilot INTEGER;
