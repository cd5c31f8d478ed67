-- The older windows of a grouping, and the functions of their bounds.

CREATE TABLE e (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '30' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'e', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE VIEW per_ten AS SELECT k, TUMBLE_ROWTIME(ts, INTERVAL '10' SECOND) AS t, COUNT(*) AS n FROM e GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND);

CREATE TABLE tumbled (k STRING, st TIMESTAMP(3), en TIMESTAMP(3), n BIGINT, s INT) WITH ('connector' = 'kafka', 'topic' = 'tumbled', 'format' = 'json');
CREATE TABLE rowtimes (k STRING, rt TIMESTAMP(3), n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'rowtimes', 'format' = 'json');
CREATE TABLE hopped (k STRING, st TIMESTAMP(3), en TIMESTAMP(3), n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'hopped', 'format' = 'json');
CREATE TABLE sessions (k STRING, st TIMESTAMP(3), en TIMESTAMP(3), rt TIMESTAMP(3), n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'sessions', 'format' = 'json');
CREATE TABLE all_sessions (st TIMESTAMP(3), n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'all_sessions', 'format' = 'json');
CREATE TABLE computed_sessions (u STRING, en TIMESTAMP(3), n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'computed_sessions', 'format' = 'json');
CREATE TABLE without_bounds (k STRING, s INT) WITH ('connector' = 'kafka', 'topic' = 'without_bounds', 'format' = 'json');
CREATE TABLE having_more (k STRING, st TIMESTAMP(3), n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'having_more', 'format' = 'json');
CREATE TABLE over_windows (st TIMESTAMP(3), n BIGINT, g BIGINT) WITH ('connector' = 'kafka', 'topic' = 'over_windows', 'format' = 'json');
CREATE TABLE of_a_query (kk STRING, st TIMESTAMP(3), s INT) WITH ('connector' = 'kafka', 'topic' = 'of_a_query', 'format' = 'json');

INSERT INTO tumbled SELECT k, TUMBLE_START(ts, INTERVAL '10' SECOND), TUMBLE_END(ts, INTERVAL '10' SECOND), COUNT(*), SUM(v) FROM e GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND);

INSERT INTO rowtimes SELECT k, TUMBLE_ROWTIME(ts, INTERVAL '10' SECOND) AS rt, COUNT(v) FROM e GROUP BY TUMBLE(ts, INTERVAL '10' SECOND), k;

INSERT INTO hopped SELECT k, HOP_START(ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND), HOP_END(ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND), COUNT(*) FROM e GROUP BY HOP(ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND), k;

INSERT INTO sessions SELECT k, SESSION_START(ts, INTERVAL '5' SECOND), SESSION_END(ts, INTERVAL '5' SECOND), SESSION_ROWTIME(ts, INTERVAL '5' SECOND), COUNT(*) FROM e GROUP BY SESSION(ts, INTERVAL '5' SECOND), k;

INSERT INTO all_sessions SELECT SESSION_START(ts, INTERVAL '4' SECOND), COUNT(*) FROM e GROUP BY SESSION(ts, INTERVAL '4' SECOND);

INSERT INTO computed_sessions SELECT UPPER(k), SESSION_END(ts, INTERVAL '5' SECOND), COUNT(*) FROM e GROUP BY SESSION(ts, INTERVAL '5' SECOND), UPPER(k);

INSERT INTO without_bounds SELECT k, SUM(v) FROM e GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND);

INSERT INTO having_more SELECT k, TUMBLE_START(ts, INTERVAL '10' SECOND), COUNT(*) FROM e WHERE v > 1 GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND) HAVING COUNT(*) > 1 AND TUMBLE_END(ts, INTERVAL '10' SECOND) < TIMESTAMP '2025-03-01 08:00:30';

-- Windows over windows: the row time of a window is a time attribute.
INSERT INTO over_windows SELECT HOP_START(t, INTERVAL '10' SECOND, INTERVAL '20' SECOND), SUM(n), COUNT(*) FROM per_ten GROUP BY HOP(t, INTERVAL '10' SECOND, INTERVAL '20' SECOND);

INSERT INTO of_a_query SELECT kk, TUMBLE_START(moment, INTERVAL '1' MINUTE), SUM(w) FROM (SELECT CONCAT(k, '!') AS kk, v * 10 AS w, ts AS moment FROM e WHERE k IS NOT NULL) GROUP BY kk, TUMBLE(moment, INTERVAL '1' MINUTE);

-- rows of e
{"k": "a", "v": 1, "ts": "2025-03-01 08:00:00"}
{"k": "b", "v": 2, "ts": "2025-03-01 08:00:01"}
{"k": "a", "v": 3, "ts": "2025-03-01 08:00:04"}
{"k": "a", "v": 4, "ts": "2025-03-01 08:00:11"}
{"k": "b", "v": 5, "ts": "2025-03-01 08:00:08.5"}
{"k": null, "v": 6, "ts": "2025-03-01 08:00:02"}
{"k": "a", "v": null, "ts": "2025-03-01 08:00:07"}
{"k": "b", "v": 8, "ts": "2025-03-01 08:00:25"}
{"k": "a", "v": 9, "ts": "2025-03-01 08:00:19.999"}
{"k": "b", "v": 2, "ts": "2025-03-01 08:00:20"}
-- answer of tumbled
{"k": "a", "st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "n": 3, "s": 4}
{"k": "b", "st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "n": 2, "s": 7}
{"k": null, "st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "n": 1, "s": 6}
{"k": "a", "st": "2025-03-01 08:00:10", "en": "2025-03-01 08:00:20", "n": 2, "s": 13}
{"k": "b", "st": "2025-03-01 08:00:20", "en": "2025-03-01 08:00:30", "n": 2, "s": 10}
-- answer of rowtimes
{"k": "a", "rt": "2025-03-01 08:00:09.999", "n": 2}
{"k": "a", "rt": "2025-03-01 08:00:19.999", "n": 2}
{"k": "b", "rt": "2025-03-01 08:00:09.999", "n": 2}
{"k": "b", "rt": "2025-03-01 08:00:29.999", "n": 2}
{"k": null, "rt": "2025-03-01 08:00:09.999", "n": 1}
-- answer of hopped
{"k": "a", "st": "2025-03-01 07:59:55", "en": "2025-03-01 08:00:05", "n": 2}
{"k": "b", "st": "2025-03-01 07:59:55", "en": "2025-03-01 08:00:05", "n": 1}
{"k": null, "st": "2025-03-01 07:59:55", "en": "2025-03-01 08:00:05", "n": 1}
{"k": "a", "st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "n": 3}
{"k": "b", "st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "n": 2}
{"k": null, "st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:10", "n": 1}
{"k": "a", "st": "2025-03-01 08:00:05", "en": "2025-03-01 08:00:15", "n": 2}
{"k": "b", "st": "2025-03-01 08:00:05", "en": "2025-03-01 08:00:15", "n": 1}
{"k": "a", "st": "2025-03-01 08:00:10", "en": "2025-03-01 08:00:20", "n": 2}
{"k": "a", "st": "2025-03-01 08:00:15", "en": "2025-03-01 08:00:25", "n": 1}
{"k": "b", "st": "2025-03-01 08:00:15", "en": "2025-03-01 08:00:25", "n": 1}
{"k": "b", "st": "2025-03-01 08:00:20", "en": "2025-03-01 08:00:30", "n": 2}
{"k": "b", "st": "2025-03-01 08:00:25", "en": "2025-03-01 08:00:35", "n": 1}
-- answer of sessions
{"k": "b", "st": "2025-03-01 08:00:01", "en": "2025-03-01 08:00:06", "rt": "2025-03-01 08:00:05.999", "n": 1}
{"k": null, "st": "2025-03-01 08:00:02", "en": "2025-03-01 08:00:07", "rt": "2025-03-01 08:00:06.999", "n": 1}
{"k": "b", "st": "2025-03-01 08:00:08.5", "en": "2025-03-01 08:00:13.5", "rt": "2025-03-01 08:00:13.499", "n": 1}
{"k": "a", "st": "2025-03-01 08:00:00", "en": "2025-03-01 08:00:16", "rt": "2025-03-01 08:00:15.999", "n": 4}
{"k": "a", "st": "2025-03-01 08:00:19.999", "en": "2025-03-01 08:00:24.999", "rt": "2025-03-01 08:00:24.998", "n": 1}
{"k": "b", "st": "2025-03-01 08:00:20", "en": "2025-03-01 08:00:30", "rt": "2025-03-01 08:00:29.999", "n": 2}
-- answer of all_sessions
{"st": "2025-03-01 08:00:25", "n": 1}
{"st": "2025-03-01 08:00:19.999", "n": 2}
{"st": "2025-03-01 08:00:00", "n": 7}
-- answer of computed_sessions
{"u": "B", "en": "2025-03-01 08:00:06", "n": 1}
{"u": null, "en": "2025-03-01 08:00:07", "n": 1}
{"u": "B", "en": "2025-03-01 08:00:13.5", "n": 1}
{"u": "A", "en": "2025-03-01 08:00:16", "n": 4}
{"u": "A", "en": "2025-03-01 08:00:24.999", "n": 1}
{"u": "B", "en": "2025-03-01 08:00:30", "n": 2}
-- answer of without_bounds
{"k": "a", "s": 13}
{"k": "a", "s": 4}
{"k": "b", "s": 10}
{"k": "b", "s": 7}
{"k": null, "s": 6}
-- answer of having_more
{"k": "a", "st": "2025-03-01 08:00:10", "n": 2}
{"k": "b", "st": "2025-03-01 08:00:00", "n": 2}
-- answer of over_windows
{"st": "2025-03-01 08:00:20", "n": 2, "g": 1}
{"st": "2025-03-01 08:00:10", "n": 4, "g": 2}
{"st": "2025-03-01 07:59:50", "n": 6, "g": 3}
{"st": "2025-03-01 08:00:00", "n": 8, "g": 4}
-- answer of of_a_query
{"kk": "a!", "st": "2025-03-01 08:00:00", "s": 170}
{"kk": "b!", "st": "2025-03-01 08:00:00", "s": 170}
