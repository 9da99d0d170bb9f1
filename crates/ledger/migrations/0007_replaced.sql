-- Characters of the file that its encoding lacks and that became question marks.
ALTER TABLE objects ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0;
