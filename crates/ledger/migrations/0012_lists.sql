-- What lists and figures over runs look for, so that no page reads every run there ever was.
CREATE INDEX runs_by_activation ON runs (activation, slot);
CREATE INDEX runs_by_destination ON runs (destination, slot);
CREATE INDEX runs_by_end ON runs (finished, state);
CREATE INDEX runs_delivered ON runs (segment, slot) WHERE state = 'delivered';
CREATE INDEX runs_stopped ON runs (slot) WHERE state IN ('failed', 'blocked');
