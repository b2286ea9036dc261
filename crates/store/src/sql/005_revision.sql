-- The git revision of the program that recorded, for example 15aad2a or 15aad2a-dirty. NULL: not known.
ALTER TABLE session ADD COLUMN revision TEXT;
