-- The few items whose ids have capital letters, such as those of app protection policies: a search by id need not put every id
-- into lower case before it compares.
CREATE INDEX inventory_items_ids_in_capitals ON inventory_items (tenant_id, external_id) WHERE external_id <> lower(external_id);
