-- Of the attempts at a slot, those behind this claim are counted in `starts`: more than one when the
-- process died under them. An owner that lives although somebody else has its slot gives its one back.
ALTER TABLE slots ADD COLUMN counted_from INTEGER NOT NULL DEFAULT 0;
UPDATE slots SET counted_from = epoch - starts;

-- Servers that share a ledger each have a link of their own for the first user.
ALTER TABLE setup_links ADD COLUMN owner TEXT;
