-- The digest of a password is kept only while an adapter needs it. No adapter has used those of former versions: an
-- account gets one at its next login or when its password is set.
ALTER TABLE account DROP COLUMN digest_ha1;
ALTER TABLE account ADD COLUMN digest_ha1 TEXT;
