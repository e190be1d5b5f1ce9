-- People who were removed while the log still says who they were. Steps of the erasure follow the removal; what a crash
-- interrupts goes on later.
CREATE TABLE erasure (
    person INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER erasure_of_person AFTER DELETE ON person BEGIN
    INSERT OR IGNORE INTO erasure (person) VALUES (OLD.id);
END;

-- An erased person has the number 0.
CREATE INDEX record_match_by_person ON record_match (person) WHERE person > 0;
CREATE INDEX opening_by_person ON opening (person) WHERE person > 0;
CREATE INDEX correction_by_person ON correction (person) WHERE person > 0;
CREATE INDEX behaviour_match_by_person ON behaviour_match (person) WHERE person > 0;

-- Of people whom former versions removed.
INSERT OR IGNORE INTO erasure (person)
SELECT person FROM (
    SELECT DISTINCT person FROM record_match WHERE person > 0
    UNION SELECT DISTINCT person FROM opening WHERE person > 0
    UNION SELECT DISTINCT person FROM correction WHERE person > 0
    UNION SELECT DISTINCT person FROM behaviour_match WHERE person > 0
) WHERE person NOT IN (SELECT id FROM person);
