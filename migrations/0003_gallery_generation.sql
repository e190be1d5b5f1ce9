-- Counts the changes of what the gallery is made of, in the transaction that makes them, so that a copy of the gallery
-- can be told from an outdated one.
CREATE TABLE gallery_generation (
    value INTEGER NOT NULL
) STRICT;

INSERT INTO gallery_generation (value) VALUES (0);

CREATE TRIGGER template_inserted AFTER INSERT ON template BEGIN
    UPDATE gallery_generation SET value = value + 1;
END;

CREATE TRIGGER template_updated AFTER UPDATE ON template BEGIN
    UPDATE gallery_generation SET value = value + 1;
END;

CREATE TRIGGER template_deleted AFTER DELETE ON template BEGIN
    UPDATE gallery_generation SET value = value + 1;
END;

CREATE TRIGGER person_library_inserted AFTER INSERT ON person_library BEGIN
    UPDATE gallery_generation SET value = value + 1;
END;

CREATE TRIGGER person_library_updated AFTER UPDATE ON person_library BEGIN
    UPDATE gallery_generation SET value = value + 1;
END;

CREATE TRIGGER person_library_deleted AFTER DELETE ON person_library BEGIN
    UPDATE gallery_generation SET value = value + 1;
END;
