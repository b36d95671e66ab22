-- What was there before the triggers were. One statement sees one moment: the rows of that moment,
-- less the differences that were noted until then; what is noted later comes on top.
INSERT INTO posthaste_counts (status, n)
SELECT x.status, sum(x.n) FROM (
    SELECT {state} AS status, count(*) AS n FROM {table} AS m WHERE {exists} GROUP BY 1
    UNION ALL
    SELECT c.status, -sum(c.n) FROM posthaste_counts AS c GROUP BY 1) AS x
GROUP BY x.status HAVING sum(x.n) <> 0;
