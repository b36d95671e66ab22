-- Each for a whole statement, however many rows it has.
CREATE OR REPLACE TRIGGER posthaste_count_insert AFTER INSERT ON {table}
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION posthaste_count_insert();
CREATE OR REPLACE TRIGGER posthaste_count_update AFTER UPDATE ON {table}
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION posthaste_count_update();
CREATE OR REPLACE TRIGGER posthaste_count_delete AFTER DELETE ON {table}
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION posthaste_count_delete();
CREATE OR REPLACE TRIGGER posthaste_count_truncate AFTER TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION posthaste_count_truncate();
-- What posthaste inserts itself it need not be told.
CREATE OR REPLACE TRIGGER posthaste_wake AFTER INSERT ON {table}
    FOR EACH STATEMENT WHEN (current_setting('posthaste.quiet', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION posthaste_wake();
