-- What narrows an assignment, and what it does; and by type and name the item that is assigned, so that all that a group
-- gets is one walk along an index, however much it is. Filled for assignments alone.
ALTER TABLE inventory_links ADD COLUMN filter_id TEXT;
ALTER TABLE inventory_links ADD COLUMN filter_mode TEXT;
ALTER TABLE inventory_links ADD COLUMN source_policy_type TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE inventory_links ADD COLUMN source_name_key TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE inventory_links
SET source_policy_type =
        COALESCE((SELECT i.policy_type FROM inventory_items i WHERE i.id = inventory_links.source_item_id), ''),
    source_name_key =
        COALESCE((SELECT i.name_key FROM inventory_items i WHERE i.id = inventory_links.source_item_id), '')
WHERE relationship IN ('assigned_to', 'excluded_from');
CREATE INDEX inventory_links_by_assignment
ON inventory_links (tenant_id, target_external_id, source_policy_type, source_name_key, source_item_id, relationship)
WHERE relationship IN ('assigned_to', 'excluded_from');

-- Whether an item is assigned to anybody; empty where it tells no assignments, or was not read since this column exists.
ALTER TABLE inventory_items ADD COLUMN assigned BOOLEAN;
CREATE INDEX inventory_items_unassigned ON inventory_items (tenant_id, policy_type, name_key, id) WHERE assigned = FALSE;

-- The name of a group in the form in which it is searched.
ALTER TABLE directory_names ADD COLUMN name_key TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE directory_names SET name_key = lower(display_name) WHERE display_name IS NOT NULL;

-- Type and name of what is missing, so that a list of it is one walk along an index in the order of the page. Kept for
-- absences that go on.
ALTER TABLE inventory_absences ADD COLUMN policy_type TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE inventory_absences ADD COLUMN name_key TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE inventory_absences
SET policy_type = COALESCE((SELECT i.policy_type FROM inventory_items i WHERE i.id = inventory_absences.item_id), ''),
    name_key = COALESCE((SELECT i.name_key FROM inventory_items i WHERE i.id = inventory_absences.item_id), '')
WHERE until_seq = 9223372036854775807;
CREATE INDEX inventory_absences_by_name ON inventory_absences (scope_id, until_seq, name_key, item_id);
