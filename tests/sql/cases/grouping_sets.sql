-- GROUPING SETS, CUBE and ROLLUP: every row counts once in each set.

CREATE TABLE g (a STRING, b STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '30' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'g', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE h (id INT, a STRING, b STRING, v INT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'h', 'key.format' = 'json', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE sets (a STRING, b STRING, s INT, ga BIGINT, gb BIGINT, g BIGINT, PRIMARY KEY (a, b, g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'sets', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE cubed (a STRING, b STRING, g BIGINT, n BIGINT, l STRING, PRIMARY KEY (a, b, g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'cubed', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE rolled (a STRING, b STRING, g BIGINT, n BIGINT, d BIGINT, PRIMARY KEY (a, b, g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'rolled', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE beside (a STRING, b STRING, g BIGINT, s INT, PRIMARY KEY (a, b, g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'beside', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE repeated (n BIGINT, s INT, PRIMARY KEY (n) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'repeated', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE having_more (a STRING, g BIGINT, n BIGINT, PRIMARY KEY (a, g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'having_more', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE computed (u STRING, g BIGINT, s INT, PRIMARY KEY (u, g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'computed', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE of_nothing (a STRING, g BIGINT, n BIGINT, PRIMARY KEY (a, g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'of_nothing', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE all_of_nothing (n BIGINT, s INT, PRIMARY KEY (n) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'all_of_nothing', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE without_sets (a STRING, g BIGINT, n BIGINT, PRIMARY KEY (a) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'without_sets', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE in_windows (st TIMESTAMP(3), a STRING, g BIGINT, s INT, n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'in_windows', 'format' = 'json');
CREATE TABLE cubed_windows (st TIMESTAMP(3), en TIMESTAMP(3), a STRING, b STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'cubed_windows', 'format' = 'json');
CREATE TABLE rolled_hops (st TIMESTAMP(3), a STRING, g BIGINT, s INT) WITH ('connector' = 'kafka', 'topic' = 'rolled_hops', 'format' = 'json');
CREATE TABLE taken_back (a STRING, b STRING, g BIGINT, s INT, c MULTISET<STRING>, PRIMARY KEY (a, b, g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'taken_back', 'key.format' = 'json', 'value.format' = 'json');

INSERT INTO sets SELECT COALESCE(a, '-'), COALESCE(b, '-'), SUM(v), GROUPING(a), GROUPING(b), GROUPING_ID(a, b) FROM g GROUP BY GROUPING SETS ((a, b), (a), ())
ON CONFLICT DO DEDUPLICATE;

-- What is aggregated is the column, also where it is no group.
INSERT INTO cubed SELECT COALESCE(a, '-'), COALESCE(b, '-'), GROUPING(b, a), COUNT(*), MAX(b) FROM g GROUP BY CUBE (a, b)
ON CONFLICT DO DEDUPLICATE;

INSERT INTO rolled SELECT COALESCE(a, '-'), COALESCE(b, '-'), GROUPING_ID(a, b), COUNT(v), COUNT(DISTINCT b) FROM g GROUP BY ROLLUP (a, b)
ON CONFLICT DO DEDUPLICATE;

INSERT INTO beside SELECT COALESCE(a, '-'), COALESCE(b, '-'), GROUPING(b), SUM(v) FROM g GROUP BY a, ROLLUP (b)
ON CONFLICT DO DEDUPLICATE;

-- A set that is there twice counts twice.
INSERT INTO repeated SELECT COUNT(*), SUM(s) FROM (SELECT a, SUM(v) AS s FROM g WHERE a IS NOT NULL GROUP BY GROUPING SETS ((a), (a)));

INSERT INTO having_more SELECT COALESCE(a, '-'), GROUPING(a), COUNT(*) FROM g GROUP BY CUBE (a) HAVING COUNT(*) > 1
ON CONFLICT DO DEDUPLICATE;

INSERT INTO computed SELECT COALESCE(u, '-'), GROUPING(u), SUM(v) FROM (SELECT UPPER(b) AS u, v FROM g) GROUP BY CUBE (u)
ON CONFLICT DO DEDUPLICATE;

-- Of no row a stream has no group, the one of all rows neither.
INSERT INTO of_nothing SELECT COALESCE(a, '-'), GROUPING(a), COUNT(*) FROM g WHERE v > 1000 GROUP BY ROLLUP (a)
ON CONFLICT DO DEDUPLICATE;

INSERT INTO all_of_nothing SELECT COUNT(*), SUM(v) FROM g WHERE v > 1000;

INSERT INTO without_sets SELECT COALESCE(a, '-'), GROUPING(a), COUNT(*) FROM g GROUP BY a
ON CONFLICT DO DEDUPLICATE;

INSERT INTO in_windows SELECT window_start, a, GROUPING(a), SUM(v), COUNT(*) FROM TABLE(TUMBLE(TABLE g, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY GROUPING SETS ((window_start, window_end, a), (window_start, window_end));

INSERT INTO cubed_windows SELECT window_start, window_end, a, b, COUNT(*) FROM TABLE(TUMBLE(TABLE g, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, CUBE (a, b);

INSERT INTO rolled_hops SELECT window_start, a, GROUPING_ID(a), SUM(v) FROM TABLE(HOP(TABLE g, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end, ROLLUP (a);

INSERT INTO taken_back SELECT COALESCE(a, '-'), COALESCE(b, '-'), GROUPING_ID(a, b), SUM(v), COLLECT(CAST(v AS STRING)) FROM h GROUP BY CUBE (a, b)
ON CONFLICT DO DEDUPLICATE;

-- rows of g
{"a": "x", "b": "p", "v": 1, "ts": "2025-03-01 08:00:01"}
{"a": "x", "b": "q", "v": 2, "ts": "2025-03-01 08:00:02"}
{"a": "y", "b": "p", "v": 3, "ts": "2025-03-01 08:00:12"}
{"a": null, "b": "p", "v": 4, "ts": "2025-03-01 08:00:03"}
{"a": "x", "b": null, "v": 5, "ts": "2025-03-01 08:00:14"}
{"a": "x", "b": "p", "v": null, "ts": "2025-03-01 08:00:09"}
{"a": "y", "b": "q", "v": 7, "ts": "2025-03-01 08:00:20"}

-- rows of h
{"id": 1, "a": "x", "b": "p", "v": 1}
{"id": 2, "a": "x", "b": "q", "v": 2}
{"id": 1, "a": "y", "b": "p", "v": 5}
{"id": 3, "a": "z", "b": "p", "v": 5}
- {"id": 3}
{"id": 4, "a": "y", "b": "q", "v": 9}
{"id": 2, "a": "x", "b": "p", "v": 3}
-- answer of sets
{"a": "-", "b": "-", "s": 4, "ga": 0, "gb": 1, "g": 1}
{"a": "-", "b": "-", "s": 22, "ga": 1, "gb": 1, "g": 3}
{"a": "-", "b": "p", "s": 4, "ga": 0, "gb": 0, "g": 0}
{"a": "x", "b": "-", "s": 5, "ga": 0, "gb": 0, "g": 0}
{"a": "x", "b": "-", "s": 8, "ga": 0, "gb": 1, "g": 1}
{"a": "x", "b": "p", "s": 1, "ga": 0, "gb": 0, "g": 0}
{"a": "x", "b": "q", "s": 2, "ga": 0, "gb": 0, "g": 0}
{"a": "y", "b": "-", "s": 10, "ga": 0, "gb": 1, "g": 1}
{"a": "y", "b": "p", "s": 3, "ga": 0, "gb": 0, "g": 0}
{"a": "y", "b": "q", "s": 7, "ga": 0, "gb": 0, "g": 0}
-- answer of cubed
{"a": "-", "b": "-", "g": 1, "n": 1, "l": null}
{"a": "-", "b": "-", "g": 2, "n": 1, "l": "p"}
{"a": "-", "b": "-", "g": 3, "n": 7, "l": "q"}
{"a": "-", "b": "p", "g": 0, "n": 1, "l": "p"}
{"a": "-", "b": "p", "g": 1, "n": 4, "l": "p"}
{"a": "-", "b": "q", "g": 1, "n": 2, "l": "q"}
{"a": "x", "b": "-", "g": 0, "n": 1, "l": null}
{"a": "x", "b": "-", "g": 2, "n": 4, "l": "q"}
{"a": "x", "b": "p", "g": 0, "n": 2, "l": "p"}
{"a": "x", "b": "q", "g": 0, "n": 1, "l": "q"}
{"a": "y", "b": "-", "g": 2, "n": 2, "l": "q"}
{"a": "y", "b": "p", "g": 0, "n": 1, "l": "p"}
{"a": "y", "b": "q", "g": 0, "n": 1, "l": "q"}
-- answer of rolled
{"a": "-", "b": "-", "g": 1, "n": 1, "d": 1}
{"a": "-", "b": "-", "g": 3, "n": 6, "d": 2}
{"a": "-", "b": "p", "g": 0, "n": 1, "d": 1}
{"a": "x", "b": "-", "g": 0, "n": 1, "d": 0}
{"a": "x", "b": "-", "g": 1, "n": 3, "d": 2}
{"a": "x", "b": "p", "g": 0, "n": 1, "d": 1}
{"a": "x", "b": "q", "g": 0, "n": 1, "d": 1}
{"a": "y", "b": "-", "g": 1, "n": 2, "d": 2}
{"a": "y", "b": "p", "g": 0, "n": 1, "d": 1}
{"a": "y", "b": "q", "g": 0, "n": 1, "d": 1}
-- answer of beside
{"a": "-", "b": "-", "g": 1, "s": 4}
{"a": "-", "b": "p", "g": 0, "s": 4}
{"a": "x", "b": "-", "g": 0, "s": 5}
{"a": "x", "b": "-", "g": 1, "s": 8}
{"a": "x", "b": "p", "g": 0, "s": 1}
{"a": "x", "b": "q", "g": 0, "s": 2}
{"a": "y", "b": "-", "g": 1, "s": 10}
{"a": "y", "b": "p", "g": 0, "s": 3}
{"a": "y", "b": "q", "g": 0, "s": 7}
-- answer of repeated
{"n": 4, "s": 36}
-- answer of having_more
{"a": "-", "g": 1, "n": 7}
{"a": "x", "g": 0, "n": 4}
{"a": "y", "g": 0, "n": 2}
-- answer of computed
{"u": "-", "g": 0, "s": 5}
{"u": "P", "g": 0, "s": 8}
{"u": "Q", "g": 0, "s": 9}
{"u": "-", "g": 1, "s": 22}
-- answer of of_nothing
-- answer of all_of_nothing
-- answer of without_sets
{"a": "-", "g": 0, "n": 1}
{"a": "x", "g": 0, "n": 4}
{"a": "y", "g": 0, "n": 2}
-- answer of in_windows
{"st": "2025-03-01 08:00:10", "a": "x", "g": 0, "s": 5, "n": 1}
{"st": "2025-03-01 08:00:00", "a": "x", "g": 0, "s": 3, "n": 3}
{"st": "2025-03-01 08:00:10", "a": "y", "g": 0, "s": 3, "n": 1}
{"st": "2025-03-01 08:00:20", "a": "y", "g": 0, "s": 7, "n": 1}
{"st": "2025-03-01 08:00:00", "a": null, "g": 0, "s": 4, "n": 1}
{"st": "2025-03-01 08:00:20", "a": null, "g": 1, "s": 7, "n": 1}
{"st": "2025-03-01 08:00:10", "a": null, "g": 1, "s": 8, "n": 2}
{"st": "2025-03-01 08:00:00", "a": null, "g": 1, "s": 7, "n": 4}
-- answer of cubed_windows
{"st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "a": "x", "b": "p", "n": 2}
{"st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "a": "x", "b": "q", "n": 1}
{"st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "a": "x", "b": null, "n": 3}
{"st": "2025-03-01 08:00:10", "en": "2025-03-01 08:00:20", "a": "x", "b": null, "n": 1}
{"st": "2025-03-01 08:00:10", "en": "2025-03-01 08:00:20", "a": "x", "b": null, "n": 1}
{"st": "2025-03-01 08:00:10", "en": "2025-03-01 08:00:20", "a": "y", "b": "p", "n": 1}
{"st": "2025-03-01 08:00:20", "en": "2025-03-01 08:00:30", "a": "y", "b": "q", "n": 1}
{"st": "2025-03-01 08:00:10", "en": "2025-03-01 08:00:20", "a": "y", "b": null, "n": 1}
{"st": "2025-03-01 08:00:20", "en": "2025-03-01 08:00:30", "a": "y", "b": null, "n": 1}
{"st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "a": null, "b": "p", "n": 1}
{"st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "a": null, "b": "p", "n": 3}
{"st": "2025-03-01 08:00:10", "en": "2025-03-01 08:00:20", "a": null, "b": "p", "n": 1}
{"st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "a": null, "b": "q", "n": 1}
{"st": "2025-03-01 08:00:20", "en": "2025-03-01 08:00:30", "a": null, "b": "q", "n": 1}
{"st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "a": null, "b": null, "n": 1}
{"st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "a": null, "b": null, "n": 4}
{"st": "2025-03-01 08:00:10", "en": "2025-03-01 08:00:20", "a": null, "b": null, "n": 1}
{"st": "2025-03-01 08:00:10", "en": "2025-03-01 08:00:20", "a": null, "b": null, "n": 2}
{"st": "2025-03-01 08:00:20", "en": "2025-03-01 08:00:30", "a": null, "b": null, "n": 1}
-- answer of rolled_hops
{"st": "2025-03-01 07:59:55", "a": "x", "g": 0, "s": 3}
{"st": "2025-03-01 08:00:00", "a": "x", "g": 0, "s": 3}
{"st": "2025-03-01 08:00:05", "a": "x", "g": 0, "s": 5}
{"st": "2025-03-01 08:00:10", "a": "x", "g": 0, "s": 5}
{"st": "2025-03-01 08:00:05", "a": "y", "g": 0, "s": 3}
{"st": "2025-03-01 08:00:10", "a": "y", "g": 0, "s": 3}
{"st": "2025-03-01 08:00:15", "a": "y", "g": 0, "s": 7}
{"st": "2025-03-01 08:00:20", "a": "y", "g": 0, "s": 7}
{"st": "2025-03-01 07:59:55", "a": null, "g": 0, "s": 4}
{"st": "2025-03-01 08:00:00", "a": null, "g": 0, "s": 4}
{"st": "2025-03-01 07:59:55", "a": null, "g": 1, "s": 7}
{"st": "2025-03-01 08:00:00", "a": null, "g": 1, "s": 7}
{"st": "2025-03-01 08:00:15", "a": null, "g": 1, "s": 7}
{"st": "2025-03-01 08:00:20", "a": null, "g": 1, "s": 7}
{"st": "2025-03-01 08:00:05", "a": null, "g": 1, "s": 8}
{"st": "2025-03-01 08:00:10", "a": null, "g": 1, "s": 8}
-- answer of taken_back
{"a": "-", "b": "-", "g": 3, "s": 17, "c": {"3": 1, "5": 1, "9": 1}}
{"a": "-", "b": "p", "g": 2, "s": 8, "c": {"3": 1, "5": 1}}
{"a": "-", "b": "q", "g": 2, "s": 9, "c": {"9": 1}}
{"a": "x", "b": "-", "g": 1, "s": 3, "c": {"3": 1}}
{"a": "x", "b": "p", "g": 0, "s": 3, "c": {"3": 1}}
{"a": "y", "b": "-", "g": 1, "s": 14, "c": {"5": 1, "9": 1}}
{"a": "y", "b": "p", "g": 0, "s": 5, "c": {"5": 1}}
{"a": "y", "b": "q", "g": 0, "s": 9, "c": {"9": 1}}
