CREATE TABLE clicks (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '30' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE by_key (k STRING, s TIMESTAMP(3), e TIMESTAMP(3), t TIMESTAMP(3), n BIGINT, v INT, d BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'by_key', 'format' = 'json');
CREATE TABLE all_keys (s TIMESTAMP(3), e TIMESTAMP(3), n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'all_keys', 'format' = 'json');
CREATE TABLE named (k STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'named', 'format' = 'json');
CREATE TABLE longest (s TIMESTAMP(3), k BIGINT, n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'longest', 'format' = 'json');

INSERT INTO by_key SELECT k, window_start, window_end, window_time, COUNT(*), SUM(v), COUNT(DISTINCT v)
FROM TABLE(SESSION(TABLE clicks PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end, window_time;

INSERT INTO all_keys SELECT window_start, window_end, COUNT(*)
FROM TABLE(SESSION(TABLE clicks, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end;

INSERT INTO named SELECT k, COUNT(*)
FROM TABLE(SESSION(DATA => TABLE clicks PARTITION BY k, TIMECOL => DESCRIPTOR(ts), GAP => INTERVAL '3' SECOND)) GROUP BY window_start, window_end, k;

-- Windows over sessions: their time goes on.
CREATE VIEW sessions AS SELECT k, window_time AS closed, COUNT(*) AS n
FROM TABLE(SESSION(TABLE clicks PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end, window_time;
INSERT INTO longest SELECT window_start, COUNT(*), MAX(n)
FROM TABLE(TUMBLE(TABLE sessions, DESCRIPTOR(closed), INTERVAL '20' SECOND)) GROUP BY window_start, window_end;

-- rows of clicks
{"k": "a", "v": 1, "ts": "2025-03-01 08:00:00"}
{"k": "a", "v": 2, "ts": "2025-03-01 08:00:05"}
{"k": "b", "v": 3, "ts": "2025-03-01 08:00:03"}
{"k": "a", "v": 4, "ts": "2025-03-01 08:00:11"}
{"k": "a", "v": 5, "ts": "2025-03-01 08:00:16.001"}
{"k": "b", "v": 6, "ts": "2025-03-01 08:00:09"}
{"k": null, "v": 2, "ts": "2025-03-01 08:00:09.5"}
{"k": "a", "v": 4, "ts": "2025-03-01 08:00:08"}
{"k": "a", "v": 8, "ts": "2025-03-01 08:00:40"}
{"k": "b", "v": 9, "ts": "2025-03-01 08:00:30"}
{"k": "a", "v": 10, "ts": "2025-03-01 08:00:37"}
{"k": "b", "v": null, "ts": "2025-03-01 08:00:36"}
{"k": "b", "v": 9, "ts": "2025-03-01 08:00:33.5"}
-- answer of by_key
{"k": "b", "s": "2025-03-01 08:00:03", "e": "2025-03-01 08:00:08", "t": "2025-03-01 08:00:07.999", "n": 1, "v": 3, "d": 1}
{"k": "b", "s": "2025-03-01 08:00:09", "e": "2025-03-01 08:00:14", "t": "2025-03-01 08:00:13.999", "n": 1, "v": 6, "d": 1}
{"k": null, "s": "2025-03-01 08:00:09.5", "e": "2025-03-01 08:00:14.5", "t": "2025-03-01 08:00:14.499", "n": 1, "v": 2, "d": 1}
{"k": "a", "s": "2025-03-01 08:00:00", "e": "2025-03-01 08:00:16", "t": "2025-03-01 08:00:15.999", "n": 4, "v": 11, "d": 3}
{"k": "a", "s": "2025-03-01 08:00:16.001", "e": "2025-03-01 08:00:21.001", "t": "2025-03-01 08:00:21", "n": 1, "v": 5, "d": 1}
{"k": "b", "s": "2025-03-01 08:00:30", "e": "2025-03-01 08:00:41", "t": "2025-03-01 08:00:40.999", "n": 3, "v": 18, "d": 1}
{"k": "a", "s": "2025-03-01 08:00:37", "e": "2025-03-01 08:00:45", "t": "2025-03-01 08:00:44.999", "n": 2, "v": 18, "d": 2}
-- answer of all_keys
{"s": "2025-03-01 08:00:00", "e": "2025-03-01 08:00:16", "n": 7}
{"s": "2025-03-01 08:00:16.001", "e": "2025-03-01 08:00:21.001", "n": 1}
{"s": "2025-03-01 08:00:30", "e": "2025-03-01 08:00:45", "n": 5}
-- answer of named
{"k": "a", "n": 1}
{"k": "b", "n": 1}
{"k": "b", "n": 1}
{"k": null, "n": 1}
{"k": "a", "n": 3}
{"k": "a", "n": 1}
{"k": "b", "n": 1}
{"k": "b", "n": 2}
{"k": "a", "n": 2}
-- answer of longest
{"s": "2025-03-01 08:00:00", "k": 4, "n": 4}
{"s": "2025-03-01 08:00:20", "k": 1, "n": 1}
{"s": "2025-03-01 08:00:40", "k": 2, "n": 3}
