-- Items that tell no assignments, and those that have more references than are kept: what a list by assignments cannot tell
-- is counted without a walk over all items.
CREATE INDEX inventory_items_untold ON inventory_items (tenant_id, policy_type) WHERE assigned IS NULL;
CREATE INDEX inventory_items_not_kept ON inventory_items (tenant_id, policy_type) WHERE links_omitted > 0;
