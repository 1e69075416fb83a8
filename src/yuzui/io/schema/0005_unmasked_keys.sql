-- Keys whose requests are never masked: what is above a target's clearance does not go there at all.
ALTER TABLE virtual_key ADD COLUMN may_mask INTEGER NOT NULL DEFAULT 1 CHECK (may_mask IN (0, 1));
