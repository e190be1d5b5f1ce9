-- Sessions end when the password or the role of their account changes, whoever changes it: a session remembers the
-- revision of its account. Digests that are completed or dropped, and new names, are no change.
ALTER TABLE account ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;

CREATE TRIGGER account_revision AFTER UPDATE OF role, password, md5 ON account
WHEN OLD.role IS NOT NEW.role OR OLD.password IS NOT NEW.password OR OLD.md5 IS NOT NEW.md5
BEGIN
    UPDATE account SET revision = revision + 1 WHERE id = NEW.id;
END;

-- The entries of each class of the audit log are numbered and chained: each hash covers the one before. Entries of
-- former versions have neither number nor hash.
-- logins | failures | accounts | doors | flows | exports | settings | contents
ALTER TABLE audit ADD COLUMN class TEXT NOT NULL DEFAULT 'contents';
ALTER TABLE audit ADD COLUMN number INTEGER;
ALTER TABLE audit ADD COLUMN hash BLOB;

UPDATE audit SET class = CASE
    WHEN action LIKE 'login%' THEN 'failures'
    WHEN action LIKE 'account.%' OR action LIKE 'audit.%' THEN 'accounts'
    WHEN action LIKE 'door.%' OR action LIKE 'relay.%' THEN 'doors'
    WHEN action IN ('adapter.configure', 'feed.order', 'network.change') THEN 'flows'
    WHEN action LIKE 'device.%' OR action LIKE 'console.%' OR action LIKE 'time.%' OR action LIKE 'machine.%'
        OR action IN ('adapter.note', 'liveness.set', 'records.pictures', 'retention.ages', 'storage.when_full')
        THEN 'settings'
    ELSE 'contents'
END;

CREATE UNIQUE INDEX audit_by_number ON audit (class, number);

-- Both ends of each chain: its newest entry, and the newest of those that the quota or a clearing removed (0: none),
-- which is the checkpoint that the oldest entry left builds on.
CREATE TABLE audit_chain (
    class TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    removed INTEGER NOT NULL,
    removed_hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Streams are admitted by keys of sessions now.
DELETE FROM adapter_value WHERE adapter = 'sensetime' AND key = 'ws.key';
