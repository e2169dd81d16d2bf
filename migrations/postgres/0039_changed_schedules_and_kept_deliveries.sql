-- How often a schedule was changed: whoever changes one says which they saw, so that two who do it at once do not undo each other.
ALTER TABLE schedules ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
-- How long messages to endpoints are kept, in days.
ALTER TABLE retention ADD COLUMN delivery_days BIGINT NOT NULL DEFAULT 30 CHECK (delivery_days BETWEEN 1 AND 3650);
