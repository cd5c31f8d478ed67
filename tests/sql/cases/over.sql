CREATE TABLE readings (k STRING, v INT, b BIGINT, d DOUBLE, p DECIMAL(10, 2), s STRING, ok BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE)
WITH ('connector' = 'kafka', 'topic' = 'readings', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE so_far (k STRING, ts TIMESTAMP(3), n BIGINT, nv BIGINT, total INT, mean INT, least INT, most INT, f INT, l INT)
WITH ('connector' = 'kafka', 'topic' = 'so_far', 'format' = 'json');
CREATE TABLE last_two (k STRING, ts TIMESTAMP(3), n BIGINT, nv BIGINT, total INT, mean INT, least INT, most INT, f INT, l INT)
WITH ('connector' = 'kafka', 'topic' = 'last_two', 'format' = 'json');
CREATE TABLE alone (k STRING, ts TIMESTAMP(3), n BIGINT, total INT)
WITH ('connector' = 'kafka', 'topic' = 'alone', 'format' = 'json');
CREATE TABLE seconds (k STRING, ts TIMESTAMP(3), n BIGINT, nv BIGINT, total INT, mean DOUBLE, least DECIMAL(10, 2), most STRING, f STRING, l STRING)
WITH ('connector' = 'kafka', 'topic' = 'seconds', 'format' = 'json');
CREATE TABLE everything (ts TIMESTAMP(3), n BIGINT, total BIGINT, mean DOUBLE)
WITH ('connector' = 'kafka', 'topic' = 'everything', 'format' = 'json');
CREATE TABLE everything_rows (ts TIMESTAMP(3), n BIGINT, total DECIMAL(38, 2))
WITH ('connector' = 'kafka', 'topic' = 'everything_rows', 'format' = 'json');
CREATE TABLE everything_lately (ts TIMESTAMP(3), n BIGINT, total DECIMAL(38, 2), mean DECIMAL(38, 6))
WITH ('connector' = 'kafka', 'topic' = 'everything_lately', 'format' = 'json');
CREATE TABLE short_form (k STRING, ts TIMESTAMP(3), three BIGINT, all_rows BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'short_form', 'format' = 'json');
CREATE TABLE of_ranges (k STRING, ts TIMESTAMP(3), n BIGINT, m BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'of_ranges', 'format' = 'json');
CREATE TABLE by_two (k STRING, ok BOOLEAN, ts TIMESTAMP(3), n BIGINT, total BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'by_two', 'format' = 'json');

-- The frame that there is without one: all rows up to those of the same time.
INSERT INTO so_far SELECT k, ts, COUNT(*) OVER w, COUNT(v) OVER w, SUM(v) OVER w, AVG(v) OVER w, MIN(v) OVER w, MAX(v) OVER w, FIRST_VALUE(v) OVER w, LAST_VALUE(v) OVER w
FROM readings WINDOW w AS (PARTITION BY k ORDER BY ts);

INSERT INTO last_two SELECT k, ts, COUNT(*) OVER w, COUNT(v) OVER w, SUM(v) OVER w, AVG(v) OVER w, MIN(v) OVER w, MAX(v) OVER w, FIRST_VALUE(v) OVER w, LAST_VALUE(v) OVER w
FROM readings WINDOW w AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);

-- Frames that may have no value.
INSERT INTO alone SELECT k, ts, COUNT(v) OVER w, SUM(v) OVER w
FROM readings WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '0.5' SECOND PRECEDING AND CURRENT ROW);

INSERT INTO seconds SELECT k, ts, COUNT(*) OVER w, COUNT(d) OVER w, SUM(v) OVER w, AVG(d) OVER w, MIN(p) OVER w, MAX(s) OVER w, FIRST_VALUE(s) OVER w, LAST_VALUE(s) OVER w
FROM readings WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW);

INSERT INTO everything SELECT ts, COUNT(*) OVER (ORDER BY ts), SUM(b) OVER (ORDER BY ts), AVG(d) OVER (ORDER BY ts) FROM readings;

INSERT INTO everything_rows SELECT ts, COUNT(*) OVER w, SUM(p) OVER w FROM readings WINDOW w AS (ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW);

INSERT INTO everything_lately SELECT ts, COUNT(*) OVER w, SUM(p) OVER w, AVG(p) OVER w
FROM readings WINDOW w AS (ORDER BY ts RANGE BETWEEN INTERVAL '4' SECOND PRECEDING AND CURRENT ROW);

-- Two frames beside each other, which Flink has in two queries only.
INSERT INTO short_form SELECT k, ts, SUM(b) OVER (PARTITION BY k ORDER BY ts ROWS 2 PRECEDING), SUM(b) OVER (PARTITION BY k ORDER BY ts ROWS UNBOUNDED PRECEDING) FROM readings;

INSERT INTO of_ranges SELECT k, ts, COUNT(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW),
  COUNT(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) FROM readings;

INSERT INTO by_two SELECT k, ok, ts, COUNT(*) OVER w, SUM(b) OVER w FROM readings WINDOW w AS (PARTITION BY k, ok ORDER BY ts ROWS BETWEEN 3 PRECEDING AND CURRENT ROW);

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
-- answer of so_far
{"k": "a", "ts": "2025-03-01 08:00:00", "n": 1, "nv": 1, "total": 1, "mean": 1, "least": 1, "most": 1, "f": 1, "l": 1}
{"k": "b", "ts": "2025-03-01 08:00:01", "n": 1, "nv": 1, "total": 4, "mean": 4, "least": 4, "most": 4, "f": 4, "l": 4}
{"k": "a", "ts": "2025-03-01 08:00:02", "n": 2, "nv": 2, "total": 3, "mean": 1, "least": 1, "most": 2, "f": 1, "l": 2}
{"k": "a", "ts": "2025-03-01 08:00:03", "n": 3, "nv": 2, "total": 3, "mean": 1, "least": 1, "most": 2, "f": 1, "l": 2}
{"k": null, "ts": "2025-03-01 08:00:03.512", "n": 1, "nv": 1, "total": 6, "mean": 6, "least": 6, "most": 6, "f": 6, "l": 6}
{"k": "a", "ts": "2025-03-01 08:00:04", "n": 4, "nv": 3, "total": 10, "mean": 3, "least": 1, "most": 7, "f": 1, "l": 7}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "n": 2, "nv": 2, "total": 2, "mean": 1, "least": -2, "most": 4, "f": 4, "l": -2}
{"k": "a", "ts": "2025-03-01 08:00:10", "n": 5, "nv": 4, "total": 15, "mean": 3, "least": 1, "most": 7, "f": 1, "l": 5}
{"k": null, "ts": "2025-03-01 08:00:15", "n": 2, "nv": 2, "total": 9, "mean": 4, "least": 3, "most": 6, "f": 6, "l": 3}
{"k": "b", "ts": "2025-03-01 08:00:20", "n": 3, "nv": 3, "total": 11, "mean": 3, "least": -2, "most": 9, "f": 4, "l": 9}
{"k": "a", "ts": "2025-03-01 08:00:30", "n": 6, "nv": 5, "total": 20, "mean": 4, "least": 1, "most": 7, "f": 1, "l": 5}
-- answer of last_two
{"k": "a", "ts": "2025-03-01 08:00:00", "n": 1, "nv": 1, "total": 1, "mean": 1, "least": 1, "most": 1, "f": 1, "l": 1}
{"k": "b", "ts": "2025-03-01 08:00:01", "n": 1, "nv": 1, "total": 4, "mean": 4, "least": 4, "most": 4, "f": 4, "l": 4}
{"k": "a", "ts": "2025-03-01 08:00:02", "n": 2, "nv": 2, "total": 3, "mean": 1, "least": 1, "most": 2, "f": 1, "l": 2}
{"k": "a", "ts": "2025-03-01 08:00:03", "n": 2, "nv": 1, "total": 2, "mean": 2, "least": 2, "most": 2, "f": 2, "l": 2}
{"k": null, "ts": "2025-03-01 08:00:03.512", "n": 1, "nv": 1, "total": 6, "mean": 6, "least": 6, "most": 6, "f": 6, "l": 6}
{"k": "a", "ts": "2025-03-01 08:00:04", "n": 2, "nv": 1, "total": 7, "mean": 7, "least": 7, "most": 7, "f": 7, "l": 7}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "n": 2, "nv": 2, "total": 2, "mean": 1, "least": -2, "most": 4, "f": 4, "l": -2}
{"k": "a", "ts": "2025-03-01 08:00:10", "n": 2, "nv": 2, "total": 12, "mean": 6, "least": 5, "most": 7, "f": 7, "l": 5}
{"k": null, "ts": "2025-03-01 08:00:15", "n": 2, "nv": 2, "total": 9, "mean": 4, "least": 3, "most": 6, "f": 6, "l": 3}
{"k": "b", "ts": "2025-03-01 08:00:20", "n": 2, "nv": 2, "total": 7, "mean": 3, "least": -2, "most": 9, "f": -2, "l": 9}
{"k": "a", "ts": "2025-03-01 08:00:30", "n": 2, "nv": 2, "total": 10, "mean": 5, "least": 5, "most": 5, "f": 5, "l": 5}
-- answer of alone
{"k": "a", "ts": "2025-03-01 08:00:00", "n": 1, "total": 1}
{"k": "b", "ts": "2025-03-01 08:00:01", "n": 1, "total": 4}
{"k": "a", "ts": "2025-03-01 08:00:02", "n": 1, "total": 2}
{"k": "a", "ts": "2025-03-01 08:00:03", "n": 0, "total": null}
{"k": null, "ts": "2025-03-01 08:00:03.512", "n": 1, "total": 6}
{"k": "a", "ts": "2025-03-01 08:00:04", "n": 1, "total": 7}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "n": 1, "total": -2}
{"k": "a", "ts": "2025-03-01 08:00:10", "n": 1, "total": 5}
{"k": null, "ts": "2025-03-01 08:00:15", "n": 1, "total": 3}
{"k": "b", "ts": "2025-03-01 08:00:20", "n": 1, "total": 9}
{"k": "a", "ts": "2025-03-01 08:00:30", "n": 1, "total": 5}
-- answer of seconds
{"k": "a", "ts": "2025-03-01 08:00:00", "n": 1, "nv": 1, "total": 1, "mean": 1.5, "least": 1.25, "most": "x", "f": "x", "l": "x"}
{"k": "b", "ts": "2025-03-01 08:00:01", "n": 1, "nv": 1, "total": 4, "mean": 4.5, "least": 4.75, "most": null, "f": null, "l": null}
{"k": "a", "ts": "2025-03-01 08:00:02", "n": 2, "nv": 2, "total": 3, "mean": 2.0, "least": 1.25, "most": "y", "f": "x", "l": "y"}
{"k": "a", "ts": "2025-03-01 08:00:03", "n": 3, "nv": 2, "total": 3, "mean": 2.0, "least": 1.25, "most": "y", "f": "x", "l": "w"}
{"k": null, "ts": "2025-03-01 08:00:03.512", "n": 1, "nv": 1, "total": 6, "mean": 0.5, "least": 0.01, "most": "n", "f": "n", "l": "n"}
{"k": "a", "ts": "2025-03-01 08:00:04", "n": 4, "nv": 3, "total": 10, "mean": -0.16666666666666666, "least": -1.0, "most": "y", "f": "x", "l": "q"}
{"k": "b", "ts": "2025-03-01 08:00:09.999", "n": 2, "nv": 2, "total": 2, "mean": 2.375, "least": 0.5, "most": "b", "f": "b", "l": "b"}
{"k": "a", "ts": "2025-03-01 08:00:10", "n": 5, "nv": 4, "total": 15, "mean": 0.9375, "least": -1.0, "most": "y", "f": "x", "l": "q"}
{"k": null, "ts": "2025-03-01 08:00:15", "n": 1, "nv": 1, "total": 3, "mean": 2.5, "least": 7.77, "most": null, "f": null, "l": null}
{"k": "b", "ts": "2025-03-01 08:00:20", "n": 1, "nv": 1, "total": 9, "mean": 4.5, "least": 10.0, "most": "u", "f": "u", "l": "u"}
{"k": "a", "ts": "2025-03-01 08:00:30", "n": 1, "nv": 1, "total": 5, "mean": 8.5, "least": 2.25, "most": "c", "f": "c", "l": "c"}
-- answer of everything
{"ts": "2025-03-01 08:00:00", "n": 1, "total": 10, "mean": 1.5}
{"ts": "2025-03-01 08:00:01", "n": 2, "total": 50, "mean": 3.0}
{"ts": "2025-03-01 08:00:02", "n": 3, "total": 70, "mean": 2.8333333333333335}
{"ts": "2025-03-01 08:00:03", "n": 4, "total": 70, "mean": 2.8333333333333335}
{"ts": "2025-03-01 08:00:03.512", "n": 5, "total": 130, "mean": 2.25}
{"ts": "2025-03-01 08:00:04", "n": 6, "total": 200, "mean": 0.9}
{"ts": "2025-03-01 08:00:09.999", "n": 7, "total": 180, "mean": 0.7916666666666666}
{"ts": "2025-03-01 08:00:10", "n": 8, "total": 230, "mean": 1.2857142857142858}
{"ts": "2025-03-01 08:00:15", "n": 9, "total": 260, "mean": 1.4375}
{"ts": "2025-03-01 08:00:20", "n": 10, "total": 350, "mean": 1.7777777777777777}
{"ts": "2025-03-01 08:00:30", "n": 11, "total": 401, "mean": 2.45}
-- answer of everything_rows
{"ts": "2025-03-01 08:00:00", "n": 1, "total": 1.25}
{"ts": "2025-03-01 08:00:01", "n": 2, "total": 6.0}
{"ts": "2025-03-01 08:00:02", "n": 3, "total": 8.5}
{"ts": "2025-03-01 08:00:03", "n": 4, "total": 8.5}
{"ts": "2025-03-01 08:00:03.512", "n": 5, "total": 8.51}
{"ts": "2025-03-01 08:00:04", "n": 6, "total": 7.51}
{"ts": "2025-03-01 08:00:09.999", "n": 7, "total": 8.01}
{"ts": "2025-03-01 08:00:10", "n": 8, "total": 11.11}
{"ts": "2025-03-01 08:00:15", "n": 9, "total": 18.88}
{"ts": "2025-03-01 08:00:20", "n": 10, "total": 28.88}
{"ts": "2025-03-01 08:00:30", "n": 11, "total": 31.13}
-- answer of everything_lately
{"ts": "2025-03-01 08:00:00", "n": 1, "total": 1.25, "mean": 1.25}
{"ts": "2025-03-01 08:00:01", "n": 2, "total": 6.0, "mean": 3.0}
{"ts": "2025-03-01 08:00:02", "n": 3, "total": 8.5, "mean": 2.833333}
{"ts": "2025-03-01 08:00:03", "n": 4, "total": 8.5, "mean": 2.833333}
{"ts": "2025-03-01 08:00:03.512", "n": 5, "total": 8.51, "mean": 2.1275}
{"ts": "2025-03-01 08:00:04", "n": 6, "total": 7.51, "mean": 1.502}
{"ts": "2025-03-01 08:00:09.999", "n": 1, "total": 0.5, "mean": 0.5}
{"ts": "2025-03-01 08:00:10", "n": 2, "total": 3.6, "mean": 1.8}
{"ts": "2025-03-01 08:00:15", "n": 1, "total": 7.77, "mean": 7.77}
{"ts": "2025-03-01 08:00:20", "n": 1, "total": 10.0, "mean": 10.0}
{"ts": "2025-03-01 08:00:30", "n": 1, "total": 2.25, "mean": 2.25}
-- answer of by_two
{"k": "a", "ok": true, "ts": "2025-03-01 08:00:00", "n": 1, "total": 10}
{"k": "b", "ok": true, "ts": "2025-03-01 08:00:01", "n": 1, "total": 40}
{"k": "a", "ok": false, "ts": "2025-03-01 08:00:02", "n": 1, "total": 20}
{"k": "a", "ok": null, "ts": "2025-03-01 08:00:03", "n": 1, "total": null}
{"k": null, "ok": true, "ts": "2025-03-01 08:00:03.512", "n": 1, "total": 60}
{"k": "a", "ok": false, "ts": "2025-03-01 08:00:04", "n": 2, "total": 90}
{"k": "b", "ok": true, "ts": "2025-03-01 08:00:09.999", "n": 2, "total": 20}
{"k": "a", "ok": true, "ts": "2025-03-01 08:00:10", "n": 2, "total": 60}
{"k": null, "ok": false, "ts": "2025-03-01 08:00:15", "n": 1, "total": 30}
{"k": "b", "ok": null, "ts": "2025-03-01 08:00:20", "n": 1, "total": 90}
{"k": "a", "ok": true, "ts": "2025-03-01 08:00:30", "n": 3, "total": 111}
