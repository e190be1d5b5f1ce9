-- Whether searches find a person, by the embedding model in use (setting people.model).
-- enrolled | pending | failed
ALTER TABLE person ADD COLUMN enrolment TEXT NOT NULL DEFAULT 'enrolled';
-- Of those who failed: bad_picture | no_face | many_faces | low_quality
ALTER TABLE person ADD COLUMN photo_fault TEXT;
CREATE INDEX person_by_enrolment ON person (enrolment, created_at);
