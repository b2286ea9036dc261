-- The participant's condition in the study, and the one that the random order proposed. NULL: the study has no conditions.
ALTER TABLE session ADD COLUMN condition TEXT;
ALTER TABLE session ADD COLUMN condition_assigned TEXT;
