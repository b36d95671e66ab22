-- What posthaste needs beside the columns that are there. A column that is NULL everywhere, or
-- whose default is a constant, is added without touching a row. posthaste_status says only what
-- the table's own flag cannot say; NULL leaves it to that flag.
ALTER TABLE {table}
{added_columns};
