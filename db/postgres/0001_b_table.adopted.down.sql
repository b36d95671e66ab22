-- The indexes on these columns go with them.
DROP INDEX IF EXISTS {prefix}_ready, {prefix}_delayed, {prefix}_parked, {prefix}_sent, {prefix}_order;
ALTER TABLE {table}
{dropped_columns};
