CREATE TABLE readings (k STRING, v INT, b BIGINT, d DOUBLE, p DECIMAL(10, 2), s STRING, ok BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE)
WITH ('connector' = 'kafka', 'topic' = 'readings', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE names (k STRING, name STRING, seen TIMESTAMP(3), PRIMARY KEY (k) NOT ENFORCED, WATERMARK FOR seen AS seen - INTERVAL '1' MINUTE)
WITH ('connector' = 'upsert-kafka', 'topic' = 'names', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE peaks (k STRING, seen TIMESTAMP(3), most INT)
WITH ('connector' = 'kafka', 'topic' = 'peaks', 'format' = 'json');
CREATE TABLE again (k STRING, ts TIMESTAMP(3), total INT, n BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'again', 'format' = 'json');
CREATE TABLE totals (k STRING, total INT, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'totals', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE named (k STRING, name STRING, ts TIMESTAMP(3), total INT)
WITH ('connector' = 'kafka', 'topic' = 'named', 'format' = 'json');
CREATE TABLE pairs (k STRING, one TIMESTAMP(3), other TIMESTAMP(3), total INT)
WITH ('connector' = 'kafka', 'topic' = 'pairs', 'format' = 'json');
CREATE TABLE sevens (k STRING, ts TIMESTAMP(3), total INT, label STRING)
WITH ('connector' = 'kafka', 'topic' = 'sevens', 'format' = 'json');
CREATE TABLE hours (k STRING, seen TIMESTAMP(3), n BIGINT, so_far BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'hours', 'format' = 'json');
CREATE TABLE firsts (k STRING, ts TIMESTAMP(3), total INT, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'firsts', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE sessions (k STRING, ts TIMESTAMP(3), n BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'sessions', 'format' = 'json');

CREATE VIEW sums AS SELECT k, ts, v, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS total FROM readings;

-- Its time goes on: windows, another OVER, and joins in time are made of it.
INSERT INTO peaks SELECT k, window_start, MAX(total) FROM TABLE(TUMBLE(TABLE sums, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
INSERT INTO again SELECT k, ts, total, COUNT(*) OVER (PARTITION BY total ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM sums WHERE total > 2;
INSERT INTO totals SELECT k, SUM(total) FROM sums WHERE k IS NOT NULL GROUP BY k;
INSERT INTO named SELECT r.k, n.name, r.ts, r.total FROM sums AS r LEFT JOIN names FOR SYSTEM_TIME AS OF r.ts AS n ON r.k = n.k;
INSERT INTO pairs SELECT a.k, a.ts, b.ts, a.total FROM sums AS a JOIN sums AS b ON a.k = b.k AND b.ts BETWEEN a.ts - INTERVAL '2' SECOND AND a.ts - INTERVAL '0.001' SECOND;

CREATE VIEW labelled AS SELECT k, ts, total, CASE WHEN total > 7 THEN 'much' ELSE 'little' END AS label FROM sums;
INSERT INTO sevens SELECT * FROM labelled WHERE total <> 7 UNION ALL SELECT k, ts, v, 'seven' FROM readings WHERE v = 7;

-- Over the groups of a window, in the order of its time.
CREATE VIEW per_ten AS SELECT k, window_time AS seen, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end, window_time;
INSERT INTO hours SELECT k, seen, n, SUM(n) OVER (PARTITION BY k ORDER BY seen ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM per_ten;

-- The first row for which a running total is large.
INSERT INTO firsts SELECT k, ts, total FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS rn FROM sums WHERE total > 3 AND k IS NOT NULL) WHERE rn = 1;

-- Sessions without windows: a row that comes long after the one before begins one.
CREATE VIEW starts AS SELECT k, ts, CASE WHEN b IS NULL OR ts > b + INTERVAL '5' SECOND THEN 1 ELSE 0 END AS begins FROM (SELECT k, ts, LAG(ts) OVER (PARTITION BY k ORDER BY ts) AS b FROM readings);
INSERT INTO sessions SELECT k, ts, SUM(CAST(begins AS BIGINT)) OVER (PARTITION BY k ORDER BY ts) FROM starts;

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
-- rows of names
{"k": "a", "name": "one", "seen": "2025-03-01 07:00:00"}
{"k": "b", "name": "two", "seen": "2025-03-01 08:00:05"}
{"k": "a", "name": "uno", "seen": "2025-03-01 08:00:03"}
-- answer of peaks
{"k": "a", "seen": "2025-03-01 08:00:00", "most": 10}
{"k": "b", "seen": "2025-03-01 08:00:00", "most": 4}
{"k": null, "seen": "2025-03-01 08:00:00", "most": 6}
{"k": null, "seen": "2025-03-01 08:00:10", "most": 9}
{"k": "a", "seen": "2025-03-01 08:00:10", "most": 15}
{"k": "b", "seen": "2025-03-01 08:00:20", "most": 11}
{"k": "a", "seen": "2025-03-01 08:00:30", "most": 20}
-- answer of again
{"k": "b", "ts": "2025-03-01 08:00:01", "total": 4, "n": 1}
{"k": "a", "ts": "2025-03-01 08:00:02", "total": 3, "n": 1}
{"k": "a", "ts": "2025-03-01 08:00:03", "total": 3, "n": 2}
{"k": null, "ts": "2025-03-01 08:00:03.512", "total": 6, "n": 1}
{"k": "a", "ts": "2025-03-01 08:00:04", "total": 10, "n": 1}
{"k": "a", "ts": "2025-03-01 08:00:10", "total": 15, "n": 1}
{"k": null, "ts": "2025-03-01 08:00:15", "total": 9, "n": 1}
{"k": "b", "ts": "2025-03-01 08:00:20", "total": 11, "n": 1}
{"k": "a", "ts": "2025-03-01 08:00:30", "total": 20, "n": 1}
-- answer of totals
{"k": "a", "total": 52}
{"k": "b", "total": 17}
-- answer of named
{"k": "a", "name": "one", "ts": "2025-03-01 08:00:00", "total": 1}
{"k": "a", "name": "one", "ts": "2025-03-01 08:00:02", "total": 3}
{"k": "a", "name": "uno", "ts": "2025-03-01 08:00:03", "total": 3}
{"k": "a", "name": "uno", "ts": "2025-03-01 08:00:04", "total": 10}
{"k": "a", "name": "uno", "ts": "2025-03-01 08:00:10", "total": 15}
{"k": "a", "name": "uno", "ts": "2025-03-01 08:00:30", "total": 20}
{"k": "b", "name": null, "ts": "2025-03-01 08:00:01", "total": 4}
{"k": "b", "name": "two", "ts": "2025-03-01 08:00:09.999", "total": 2}
{"k": "b", "name": "two", "ts": "2025-03-01 08:00:20", "total": 11}
{"k": null, "name": null, "ts": "2025-03-01 08:00:03.512", "total": 6}
{"k": null, "name": null, "ts": "2025-03-01 08:00:15", "total": 9}
-- answer of pairs
{"k": "a", "one": "2025-03-01 08:00:02", "other": "2025-03-01 08:00:00", "total": 3}
{"k": "a", "one": "2025-03-01 08:00:03", "other": "2025-03-01 08:00:02", "total": 3}
{"k": "a", "one": "2025-03-01 08:00:04", "other": "2025-03-01 08:00:03", "total": 10}
{"k": "a", "one": "2025-03-01 08:00:04", "other": "2025-03-01 08:00:02", "total": 10}
-- answer of sevens
{"k": "a", "ts": "2025-03-01 08:00:04", "total": 7, "label": "seven"}
{"k": "a", "ts": "2025-03-01 08:00:00", "total": 1, "label": "little"}
{"k": "b", "ts": "2025-03-01 08:00:01", "total": 4, "label": "little"}
{"k": "a", "ts": "2025-03-01 08:00:02", "total": 3, "label": "little"}
{"k": "a", "ts": "2025-03-01 08:00:03", "total": 3, "label": "little"}
{"k": null, "ts": "2025-03-01 08:00:03.512", "total": 6, "label": "little"}
{"k": "a", "ts": "2025-03-01 08:00:04", "total": 10, "label": "much"}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "total": 2, "label": "little"}
{"k": "a", "ts": "2025-03-01 08:00:10", "total": 15, "label": "much"}
{"k": null, "ts": "2025-03-01 08:00:15", "total": 9, "label": "much"}
{"k": "b", "ts": "2025-03-01 08:00:20", "total": 11, "label": "much"}
{"k": "a", "ts": "2025-03-01 08:00:30", "total": 20, "label": "much"}
-- answer of hours
{"k": "a", "seen": "2025-03-01 08:00:09.999", "n": 4, "so_far": 4}
{"k": "b", "seen": "2025-03-01 08:00:09.999", "n": 2, "so_far": 2}
{"k": null, "seen": "2025-03-01 08:00:09.999", "n": 1, "so_far": 1}
{"k": null, "seen": "2025-03-01 08:00:19.999", "n": 1, "so_far": 2}
{"k": "a", "seen": "2025-03-01 08:00:19.999", "n": 1, "so_far": 5}
{"k": "b", "seen": "2025-03-01 08:00:29.999", "n": 1, "so_far": 3}
{"k": "a", "seen": "2025-03-01 08:00:39.999", "n": 1, "so_far": 6}
-- answer of firsts
{"k": "b", "ts": "2025-03-01 08:00:01", "total": 4}
{"k": "a", "ts": "2025-03-01 08:00:04", "total": 10}
-- answer of sessions
{"k": "a", "ts": "2025-03-01 08:00:00", "n": 1}
{"k": "b", "ts": "2025-03-01 08:00:01", "n": 1}
{"k": "a", "ts": "2025-03-01 08:00:02", "n": 1}
{"k": "a", "ts": "2025-03-01 08:00:03", "n": 1}
{"k": null, "ts": "2025-03-01 08:00:03.512", "n": 1}
{"k": "a", "ts": "2025-03-01 08:00:04", "n": 1}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "n": 2}
{"k": "a", "ts": "2025-03-01 08:00:10", "n": 2}
{"k": null, "ts": "2025-03-01 08:00:15", "n": 2}
{"k": "b", "ts": "2025-03-01 08:00:20", "n": 3}
{"k": "a", "ts": "2025-03-01 08:00:30", "n": 3}
