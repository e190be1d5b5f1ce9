-- What an adapter alone knows of a thing; it goes with the thing.
CREATE TABLE note (
    -- person | library | camera | task
    thing TEXT NOT NULL,
    id INTEGER NOT NULL,
    adapter TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (thing, id, adapter)
) STRICT, WITHOUT ROWID;

INSERT INTO note SELECT 'person', person, adapter, note FROM adapter_annotation;
DROP TABLE adapter_annotation;

-- Values that adapters kept under names with the thing's id in them.
INSERT INTO note
SELECT 'library', library.id, adapter, value
FROM library JOIN adapter_value ON key = 'library.' || library.id || '.type';
-- Those of cameras begin with the time at which the camera was added: an earlier one had the channel otherwise.
INSERT INTO note
SELECT 'camera', camera.id, adapter, substr(value, instr(value, ' ') + 1)
FROM camera JOIN adapter_value ON key IN ('camera.' || camera.id || '.type', 'decoder.' || camera.id)
WHERE substr(value, 1, instr(value, ' ') - 1) = CAST(camera.created_at AS TEXT);
INSERT INTO note
SELECT 'task', task.id, adapter, value
FROM task JOIN adapter_value ON key = 'task.' || task.id || '.plan';
DELETE FROM adapter_value
WHERE key GLOB 'library.[0-9]*.type' OR key GLOB 'camera.[0-9]*.type' OR key GLOB 'decoder.[0-9]*'
    OR key GLOB 'task.[0-9]*.plan';

CREATE TRIGGER note_of_person AFTER DELETE ON person BEGIN
    DELETE FROM note WHERE thing = 'person' AND id = OLD.id;
END;
CREATE TRIGGER note_of_library AFTER DELETE ON library BEGIN
    DELETE FROM note WHERE thing = 'library' AND id = OLD.id;
END;
CREATE TRIGGER note_of_camera AFTER DELETE ON camera BEGIN
    DELETE FROM note WHERE thing = 'camera' AND id = OLD.id;
END;
CREATE TRIGGER note_of_task AFTER DELETE ON task BEGIN
    DELETE FROM note WHERE thing = 'task' AND id = OLD.id;
END;
