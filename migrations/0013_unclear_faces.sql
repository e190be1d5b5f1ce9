-- What becomes of a capture that is too poor to say that it shows nobody known.
-- tell | strangers | ignore
ALTER TABLE watch ADD COLUMN unclear TEXT NOT NULL DEFAULT 'tell';
