CREATE TABLE readings (k STRING, v INT, b BIGINT, d DOUBLE, p DECIMAL(10, 2), s STRING, ok BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE)
WITH ('connector' = 'kafka', 'topic' = 'readings', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE earlier (k STRING, ts TIMESTAMP(3), v INT, one INT, two INT, none STRING, price DECIMAL(10, 2))
WITH ('connector' = 'kafka', 'topic' = 'earlier', 'format' = 'json');
CREATE TABLE before_or (k STRING, ts TIMESTAMP(3), one BIGINT, two STRING)
WITH ('connector' = 'kafka', 'topic' = 'before_or', 'format' = 'json');
CREATE TABLE changes (k STRING, ts TIMESTAMP(3), v INT, grown INT)
WITH ('connector' = 'kafka', 'topic' = 'changes', 'format' = 'json');
CREATE TABLE repeated (k STRING, ts TIMESTAMP(3), v INT)
WITH ('connector' = 'kafka', 'topic' = 'repeated', 'format' = 'json');
CREATE TABLE numbers (k STRING, ts TIMESTAMP(3), rn BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'numbers', 'format' = 'json');
CREATE TABLE ranks (k STRING, ts TIMESTAMP(3), r BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'ranks', 'format' = 'json');
CREATE TABLE dense (ts TIMESTAMP(3), r BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'dense', 'format' = 'json');
CREATE TABLE rounds (k STRING, ts TIMESTAMP(3), r BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'rounds', 'format' = 'json');
CREATE TABLE different (k STRING, ts TIMESTAMP(3), n BIGINT, total INT)
WITH ('connector' = 'kafka', 'topic' = 'different', 'format' = 'json');
CREATE TABLE different_lately (ts TIMESTAMP(3), n BIGINT, total INT, least INT)
WITH ('connector' = 'kafka', 'topic' = 'different_lately', 'format' = 'json');
CREATE TABLE computed (ts TIMESTAMP(3), twice INT, share DOUBLE, label STRING)
WITH ('connector' = 'kafka', 'topic' = 'computed', 'format' = 'json');
CREATE TABLE truths (k STRING, ts TIMESTAMP(3), least BOOLEAN, most BOOLEAN, l BOOLEAN, t TIMESTAMP(3))
WITH ('connector' = 'kafka', 'topic' = 'truths', 'format' = 'json');

INSERT INTO earlier SELECT k, ts, v, LAG(v) OVER w, LAG(v, 2) OVER w, LAG(s, 0) OVER w, LAG(p, 1) OVER w FROM readings WINDOW w AS (PARTITION BY k ORDER BY ts);

-- A default where there is no row; a null in the row is one.
INSERT INTO before_or SELECT k, ts, LAG(v * 2, 1, -1) OVER (PARTITION BY k ORDER BY ts) + b, LAG(s, 3, 'none') OVER (PARTITION BY k ORDER BY ts) FROM readings WHERE v IS NOT NULL;

INSERT INTO changes SELECT k, ts, v, v - p FROM (SELECT k, ts, v, LAG(v) OVER (PARTITION BY k ORDER BY ts) AS p FROM readings) WHERE p IS NULL OR v > p;

-- Deduplication of values that follow each other.
INSERT INTO repeated SELECT k, ts, v FROM (SELECT *, LAG(v) OVER (PARTITION BY k ORDER BY ts) AS previous FROM readings WHERE v IS NOT NULL) WHERE v = previous;

INSERT INTO numbers SELECT k, ts, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) FROM readings;
INSERT INTO ranks SELECT k, ts, RANK() OVER (PARTITION BY k ORDER BY ts) FROM readings;
INSERT INTO dense SELECT ts, DENSE_RANK() OVER (ORDER BY ts) FROM readings;
INSERT INTO rounds SELECT k, ts, MOD(ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts), 2) FROM readings;

INSERT INTO different SELECT k, ts, COUNT(DISTINCT v) OVER w, SUM(DISTINCT v) OVER w FROM readings WINDOW w AS (PARTITION BY k ORDER BY ts);
INSERT INTO different_lately SELECT ts, COUNT(DISTINCT s) OVER w, SUM(DISTINCT v) OVER w, MIN(DISTINCT v) OVER w
FROM readings WINDOW w AS (ORDER BY ts ROWS BETWEEN 4 PRECEDING AND CURRENT ROW);

-- Expressions inside, around, and as the partition.
INSERT INTO computed SELECT ts, SUM(v * 2) OVER w + 1, CAST(v AS DOUBLE) / SUM(v) OVER w, CONCAT(UPPER(MAX(s) OVER w), '-', CAST(COUNT(*) OVER w AS STRING))
FROM readings WINDOW w AS (PARTITION BY CHAR_LENGTH(k) > 0, MOD(v, 2) ORDER BY ts);

INSERT INTO truths SELECT k, ts, MIN(ok) OVER w, MAX(ok) OVER w, LAST_VALUE(ok) OVER w, MAX(ts) OVER w
FROM readings WINDOW w AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW);

-- rows of readings
{"k": "a", "v": 1, "b": 10, "d": 1.5, "p": 1.25, "s": "x", "ok": true, "ts": "2025-03-01 08:00:00"}
{"k": "a", "v": 2, "b": 20, "d": 2.5, "p": 2.50, "s": "y", "ok": false, "ts": "2025-03-01 08:00:02"}
{"k": "b", "v": 4, "b": 40, "d": 4.5, "p": 4.75, "s": null, "ok": true, "ts": "2025-03-01 08:00:01"}
{"k": "a", "v": null, "b": null, "d": null, "p": null, "s": "w", "ok": null, "ts": "2025-03-01 08:00:03"}
{"k": null, "v": 6, "b": 60, "d": 0.5, "p": 0.01, "s": "n", "ok": true, "ts": "2025-03-01 08:00:03.512"}
{"k": "a", "v": 5, "b": 50, "d": 4.25, "p": 3.10, "s": "q", "ok": true, "ts": "2025-03-01 08:00:10"}
{"k": "a", "v": 7, "b": 70, "d": -4.5, "p": -1.00, "s": "q", "ok": false, "ts": "2025-03-01 08:00:04"}
{"k": "b", "v": 9, "b": 90, "d": 4.5, "p": 10.00, "s": "u", "ok": null, "ts": "2025-03-01 08:00:20"}
{"k": null, "v": 3, "b": 30, "d": 2.5, "p": 7.77, "s": null, "ok": false, "ts": "2025-03-01 08:00:15"}
{"k": "b", "v": -2, "b": -20, "d": 0.25, "p": 0.50, "s": "b", "ok": true, "ts": "2025-03-01 08:00:09.999"}
{"k": "a", "v": 5, "b": 51, "d": 8.5, "p": 2.25, "s": "c", "ok": true, "ts": "2025-03-01 08:00:30"}
-- answer of earlier
{"k": "a", "ts": "2025-03-01 08:00:00", "v": 1, "one": null, "two": null, "none": "x", "price": null}
{"k": "b", "ts": "2025-03-01 08:00:01", "v": 4, "one": null, "two": null, "none": null, "price": null}
{"k": "a", "ts": "2025-03-01 08:00:02", "v": 2, "one": 1, "two": null, "none": "y", "price": 1.25}
{"k": "a", "ts": "2025-03-01 08:00:03", "v": null, "one": 2, "two": 1, "none": "w", "price": 2.5}
{"k": null, "ts": "2025-03-01 08:00:03.512", "v": 6, "one": null, "two": null, "none": "n", "price": null}
{"k": "a", "ts": "2025-03-01 08:00:04", "v": 7, "one": null, "two": 2, "none": "q", "price": null}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "v": -2, "one": 4, "two": null, "none": "b", "price": 4.75}
{"k": "a", "ts": "2025-03-01 08:00:10", "v": 5, "one": 7, "two": null, "none": "q", "price": -1.0}
{"k": null, "ts": "2025-03-01 08:00:15", "v": 3, "one": 6, "two": null, "none": null, "price": 0.01}
{"k": "b", "ts": "2025-03-01 08:00:20", "v": 9, "one": -2, "two": 4, "none": "u", "price": 0.5}
{"k": "a", "ts": "2025-03-01 08:00:30", "v": 5, "one": 5, "two": 7, "none": "c", "price": 3.1}
-- answer of before_or
{"k": "a", "ts": "2025-03-01 08:00:00", "one": 9, "two": "none"}
{"k": "b", "ts": "2025-03-01 08:00:01", "one": 39, "two": "none"}
{"k": "a", "ts": "2025-03-01 08:00:02", "one": 22, "two": "none"}
{"k": null, "ts": "2025-03-01 08:00:03.512", "one": 59, "two": "none"}
{"k": "a", "ts": "2025-03-01 08:00:04", "one": 74, "two": "none"}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "one": -12, "two": "none"}
{"k": "a", "ts": "2025-03-01 08:00:10", "one": 64, "two": "x"}
{"k": null, "ts": "2025-03-01 08:00:15", "one": 42, "two": "none"}
{"k": "b", "ts": "2025-03-01 08:00:20", "one": 86, "two": "none"}
{"k": "a", "ts": "2025-03-01 08:00:30", "one": 61, "two": "y"}
-- answer of changes
{"k": "a", "ts": "2025-03-01 08:00:00", "v": 1, "grown": null}
{"k": "b", "ts": "2025-03-01 08:00:01", "v": 4, "grown": null}
{"k": "a", "ts": "2025-03-01 08:00:02", "v": 2, "grown": 1}
{"k": null, "ts": "2025-03-01 08:00:03.512", "v": 6, "grown": null}
{"k": "a", "ts": "2025-03-01 08:00:04", "v": 7, "grown": null}
{"k": "b", "ts": "2025-03-01 08:00:20", "v": 9, "grown": 11}
-- answer of repeated
{"k": "a", "ts": "2025-03-01 08:00:30", "v": 5}
-- answer of numbers
{"k": "a", "ts": "2025-03-01 08:00:00", "rn": 1}
{"k": "b", "ts": "2025-03-01 08:00:01", "rn": 1}
{"k": "a", "ts": "2025-03-01 08:00:02", "rn": 2}
{"k": "a", "ts": "2025-03-01 08:00:03", "rn": 3}
{"k": null, "ts": "2025-03-01 08:00:03.512", "rn": 1}
{"k": "a", "ts": "2025-03-01 08:00:04", "rn": 4}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "rn": 2}
{"k": "a", "ts": "2025-03-01 08:00:10", "rn": 5}
{"k": null, "ts": "2025-03-01 08:00:15", "rn": 2}
{"k": "b", "ts": "2025-03-01 08:00:20", "rn": 3}
{"k": "a", "ts": "2025-03-01 08:00:30", "rn": 6}
-- answer of ranks
{"k": "a", "ts": "2025-03-01 08:00:00", "r": 1}
{"k": "b", "ts": "2025-03-01 08:00:01", "r": 1}
{"k": "a", "ts": "2025-03-01 08:00:02", "r": 2}
{"k": "a", "ts": "2025-03-01 08:00:03", "r": 3}
{"k": null, "ts": "2025-03-01 08:00:03.512", "r": 1}
{"k": "a", "ts": "2025-03-01 08:00:04", "r": 4}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "r": 2}
{"k": "a", "ts": "2025-03-01 08:00:10", "r": 5}
{"k": null, "ts": "2025-03-01 08:00:15", "r": 2}
{"k": "b", "ts": "2025-03-01 08:00:20", "r": 3}
{"k": "a", "ts": "2025-03-01 08:00:30", "r": 6}
-- answer of dense
{"ts": "2025-03-01 08:00:00", "r": 1}
{"ts": "2025-03-01 08:00:01", "r": 2}
{"ts": "2025-03-01 08:00:02", "r": 3}
{"ts": "2025-03-01 08:00:03", "r": 4}
{"ts": "2025-03-01 08:00:03.512", "r": 5}
{"ts": "2025-03-01 08:00:04", "r": 6}
{"ts": "2025-03-01 08:00:09.999", "r": 7}
{"ts": "2025-03-01 08:00:10", "r": 8}
{"ts": "2025-03-01 08:00:15", "r": 9}
{"ts": "2025-03-01 08:00:20", "r": 10}
{"ts": "2025-03-01 08:00:30", "r": 11}
-- answer of rounds
{"k": "a", "ts": "2025-03-01 08:00:00", "r": 1}
{"k": "b", "ts": "2025-03-01 08:00:01", "r": 1}
{"k": "a", "ts": "2025-03-01 08:00:02", "r": 0}
{"k": "a", "ts": "2025-03-01 08:00:03", "r": 1}
{"k": null, "ts": "2025-03-01 08:00:03.512", "r": 1}
{"k": "a", "ts": "2025-03-01 08:00:04", "r": 0}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "r": 0}
{"k": "a", "ts": "2025-03-01 08:00:10", "r": 1}
{"k": null, "ts": "2025-03-01 08:00:15", "r": 0}
{"k": "b", "ts": "2025-03-01 08:00:20", "r": 1}
{"k": "a", "ts": "2025-03-01 08:00:30", "r": 0}
-- answer of different
{"k": "a", "ts": "2025-03-01 08:00:00", "n": 1, "total": 1}
{"k": "b", "ts": "2025-03-01 08:00:01", "n": 1, "total": 4}
{"k": "a", "ts": "2025-03-01 08:00:02", "n": 2, "total": 3}
{"k": "a", "ts": "2025-03-01 08:00:03", "n": 2, "total": 3}
{"k": null, "ts": "2025-03-01 08:00:03.512", "n": 1, "total": 6}
{"k": "a", "ts": "2025-03-01 08:00:04", "n": 3, "total": 10}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "n": 2, "total": 2}
{"k": "a", "ts": "2025-03-01 08:00:10", "n": 4, "total": 15}
{"k": null, "ts": "2025-03-01 08:00:15", "n": 2, "total": 9}
{"k": "b", "ts": "2025-03-01 08:00:20", "n": 3, "total": 11}
{"k": "a", "ts": "2025-03-01 08:00:30", "n": 4, "total": 15}
-- answer of different_lately
{"ts": "2025-03-01 08:00:00", "n": 1, "total": 1, "least": 1}
{"ts": "2025-03-01 08:00:01", "n": 1, "total": 5, "least": 1}
{"ts": "2025-03-01 08:00:02", "n": 2, "total": 7, "least": 1}
{"ts": "2025-03-01 08:00:03", "n": 3, "total": 7, "least": 1}
{"ts": "2025-03-01 08:00:03.512", "n": 4, "total": 13, "least": 1}
{"ts": "2025-03-01 08:00:04", "n": 4, "total": 19, "least": 2}
{"ts": "2025-03-01 08:00:09.999", "n": 5, "total": 13, "least": -2}
{"ts": "2025-03-01 08:00:10", "n": 4, "total": 16, "least": -2}
{"ts": "2025-03-01 08:00:15", "n": 3, "total": 19, "least": -2}
{"ts": "2025-03-01 08:00:20", "n": 3, "total": 22, "least": -2}
{"ts": "2025-03-01 08:00:30", "n": 4, "total": 15, "least": -2}
-- answer of computed
{"ts": "2025-03-01 08:00:00", "twice": 3, "share": 1.0, "label": "X-1"}
{"ts": "2025-03-01 08:00:01", "twice": 9, "share": 1.0, "label": null}
{"ts": "2025-03-01 08:00:02", "twice": 13, "share": 0.3333333333333333, "label": "Y-2"}
{"ts": "2025-03-01 08:00:03", "twice": null, "share": null, "label": "W-1"}
{"ts": "2025-03-01 08:00:03.512", "twice": 13, "share": 1.0, "label": "N-1"}
{"ts": "2025-03-01 08:00:04", "twice": 17, "share": 0.875, "label": "X-2"}
{"ts": "2025-03-01 08:00:09.999", "twice": 9, "share": -0.5, "label": "Y-3"}
{"ts": "2025-03-01 08:00:10", "twice": 27, "share": 0.38461538461538464, "label": "X-3"}
{"ts": "2025-03-01 08:00:15", "twice": 7, "share": 1.0, "label": null}
{"ts": "2025-03-01 08:00:20", "twice": 45, "share": 0.4090909090909091, "label": "X-4"}
{"ts": "2025-03-01 08:00:30", "twice": 55, "share": 0.18518518518518517, "label": "X-5"}
-- answer of truths
{"k": "a", "ts": "2025-03-01 08:00:00", "least": true, "most": true, "l": true, "t": "2025-03-01 08:00:00"}
{"k": "b", "ts": "2025-03-01 08:00:01", "least": true, "most": true, "l": true, "t": "2025-03-01 08:00:01"}
{"k": "a", "ts": "2025-03-01 08:00:02", "least": false, "most": true, "l": false, "t": "2025-03-01 08:00:02"}
{"k": "a", "ts": "2025-03-01 08:00:03", "least": false, "most": true, "l": false, "t": "2025-03-01 08:00:03"}
{"k": null, "ts": "2025-03-01 08:00:03.512", "least": true, "most": true, "l": true, "t": "2025-03-01 08:00:03.512"}
{"k": "a", "ts": "2025-03-01 08:00:04", "least": false, "most": false, "l": false, "t": "2025-03-01 08:00:04"}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "least": true, "most": true, "l": true, "t": "2025-03-01 08:00:09.999"}
{"k": "a", "ts": "2025-03-01 08:00:10", "least": false, "most": true, "l": true, "t": "2025-03-01 08:00:10"}
{"k": null, "ts": "2025-03-01 08:00:15", "least": false, "most": true, "l": false, "t": "2025-03-01 08:00:15"}
{"k": "b", "ts": "2025-03-01 08:00:20", "least": true, "most": true, "l": true, "t": "2025-03-01 08:00:20"}
{"k": "a", "ts": "2025-03-01 08:00:30", "least": false, "most": true, "l": true, "t": "2025-03-01 08:00:30"}
