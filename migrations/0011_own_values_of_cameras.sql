-- Which values of a camera were set for it expressly. The others follow what is set for all cameras together. What cameras
-- had so far came from either: they follow, and lose nothing before somebody sets something for all of them.

ALTER TABLE camera ADD COLUMN own_threshold INTEGER NOT NULL DEFAULT 0;
ALTER TABLE camera ADD COLUMN own_rearm INTEGER NOT NULL DEFAULT 0;
ALTER TABLE camera ADD COLUMN own_min_face_px INTEGER NOT NULL DEFAULT 0;
ALTER TABLE camera ADD COLUMN own_region INTEGER NOT NULL DEFAULT 0;
