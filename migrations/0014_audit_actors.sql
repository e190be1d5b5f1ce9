-- The role of whoever acted, the address it was done from, and the adapter it came through. Unknown of what was done
-- before.

ALTER TABLE audit ADD COLUMN role TEXT;
ALTER TABLE audit ADD COLUMN origin TEXT;
ALTER TABLE audit ADD COLUMN adapter TEXT;
