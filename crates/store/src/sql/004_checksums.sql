-- What was stored, told from what is there: CRC-32 (as in zip and PNG) of each picture, of each record and of what the
-- session says about itself. NULL: stored by a program that knew no checksums.
ALTER TABLE frame ADD COLUMN checksum INTEGER;             -- of the JPEG
ALTER TABLE record ADD COLUMN checksum INTEGER;            -- of the other columns but id; src/store/checksum.rs says how
ALTER TABLE session ADD COLUMN header_checksum INTEGER;    -- of this row, the streams and their fields
