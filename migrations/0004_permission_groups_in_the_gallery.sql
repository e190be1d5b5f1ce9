-- The gallery knows permission groups as well, so their changes count among its own.

CREATE TRIGGER person_permission_group_inserted AFTER INSERT ON person_permission_group BEGIN
    UPDATE gallery_generation SET value = value + 1;
END;

CREATE TRIGGER person_permission_group_updated AFTER UPDATE ON person_permission_group BEGIN
    UPDATE gallery_generation SET value = value + 1;
END;

CREATE TRIGGER person_permission_group_deleted AFTER DELETE ON person_permission_group BEGIN
    UPDATE gallery_generation SET value = value + 1;
END;
