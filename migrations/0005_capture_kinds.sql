-- A capture shows a face or a body. Bodies are listed apart, by an index of their own, so that faces are found as before:
-- by an index that answers alone. A body is compared with nobody, so what is found by its match needs no change.

ALTER TABLE record ADD COLUMN kind TEXT NOT NULL DEFAULT 'face';

DROP INDEX record_by_time;
DROP INDEX record_by_camera;
DROP INDEX record_by_verdict;
CREATE INDEX record_by_time ON record (captured_at) WHERE kind = 'face';
CREATE INDEX record_by_camera ON record (camera, captured_at) WHERE kind = 'face';
CREATE INDEX record_by_verdict ON record (verdict, captured_at) WHERE kind = 'face';
CREATE INDEX record_of_body ON record (captured_at) WHERE kind = 'body';
