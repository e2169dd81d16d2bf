-- First and last run of a scope that saw an item. The only rows that an unchanged sync writes.
CREATE TABLE inventory_sightings (
    item_id BLOB NOT NULL,
    scope_id BIGINT NOT NULL,
    since_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    PRIMARY KEY (item_id, scope_id)
) WITHOUT ROWID;

-- Runs of a scope that read the item's type and did not see the item: from_seq and later, before until_seq.
-- until_seq is the highest BIGINT while no run has seen it again. With the sightings this answers "did run R of scope S
-- see this item" for every R, whatever other selections ran. "Missing" itself is never stored.
CREATE TABLE inventory_absences (
    scope_id BIGINT NOT NULL,
    item_id BLOB NOT NULL,
    from_seq BIGINT NOT NULL,
    until_seq BIGINT NOT NULL,
    PRIMARY KEY (item_id, scope_id, from_seq)
) WITHOUT ROWID;
CREATE INDEX inventory_absences_by_scope ON inventory_absences (scope_id, until_seq, from_seq, item_id);
