ALTER TABLE slots ADD COLUMN counted_from bigint NOT NULL DEFAULT 0;
UPDATE slots SET counted_from = epoch - starts;

ALTER TABLE setup_links ADD COLUMN owner text COLLATE "C";
