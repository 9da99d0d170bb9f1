-- That this ledger was made from a copy. Nothing is run with it until it is settled.
CREATE TABLE restores (
    taken    INTEGER NOT NULL,
    restored INTEGER NOT NULL,
    settled  INTEGER
) STRICT;
