-- Permission groups were values of the adapter that creates them; now doors decide by them. The ids stay those that
-- person_permission_group has under name.

CREATE TABLE permission_group (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    -- What the adapter that created it keeps with it.
    note TEXT
) STRICT;

-- Which groups a camera is reserved for. A group may be gone: then nobody passes because of it.
CREATE TABLE camera_permission_group (
    camera INTEGER NOT NULL REFERENCES camera ON DELETE CASCADE,
    permission_group TEXT NOT NULL,
    PRIMARY KEY (camera, permission_group)
) STRICT, WITHOUT ROWID;

CREATE INDEX person_permission_group_by_name ON person_permission_group (name);

-- A camera's source may be pushed (device_host) beside those named in 0001.

INSERT OR IGNORE INTO permission_group (id, name, description, note)
SELECT entry.value ->> 'id', entry.value ->> 'name', entry.value ->> 'description', nullif(entry.value -> 'info', '{}')
FROM adapter_value
    JOIN json_each(iif(json_valid(adapter_value.value), adapter_value.value, '{}'), '$.groups') AS entry
WHERE adapter_value.adapter = 'sophon' AND adapter_value.key = 'permissions'
    AND entry.value ->> 'id' IS NOT NULL AND entry.value ->> 'name' IS NOT NULL
    AND entry.value ->> 'description' IS NOT NULL
ORDER BY entry.key;
DELETE FROM adapter_value WHERE adapter = 'sophon' AND key = 'permissions';

-- What follows a recognised face: it had no effect so far.
INSERT OR IGNORE INTO setting (name, value)
SELECT 'setting door.reaction', json_object('version', 1, 'value',
    CASE value ->> 'mode' WHEN 'alarm' THEN 'alarm' WHEN 'avoid' THEN 'nothing' ELSE 'open-doors' END)
FROM adapter_value WHERE adapter = 'sophon' AND key = 'reaction' AND json_valid(value);
DELETE FROM adapter_value WHERE adapter = 'sophon' AND key = 'reaction';
