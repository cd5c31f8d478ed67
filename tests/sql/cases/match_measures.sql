-- Measures, aggregates, orders within a time, and what stands around a pattern.
CREATE TABLE w (k STRING, g STRING, n INT, v BIGINT, d DOUBLE, s STRING, p DECIMAL(10, 2), t BIGINT, ts AS TO_TIMESTAMP_LTZ(t, 3), WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE)
WITH ('connector' = 'kafka', 'topic' = 'w', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE VIEW mv AS SELECT k, x, rt FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES B.n AS x, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B) DEFINE B AS B.v > A.v) AS m;

CREATE TABLE o0 (k STRING, f INT, l INT, c BIGINT, c2 BIGINT, s BIGINT, a BIGINT, mi BIGINT, ma BIGINT) WITH ('connector' = 'kafka', 'topic' = 'o0', 'format' = 'json');
INSERT INTO o0 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES FIRST(n) AS f, LAST(n) AS l, COUNT(A.v) AS c, COUNT(n) AS c2, SUM(A.v) AS s, AVG(A.v) AS a, MIN(A.v) AS mi, MAX(v) AS ma ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A+ B)  DEFINE A AS A.v < 12 OR A.v IS NULL, B AS B.v >= 12) AS m;
CREATE TABLE o1 (k STRING, f INT, l INT, s DOUBLE, a DOUBLE, mi DOUBLE, ma DOUBLE, ms STRING, xs STRING, sp DECIMAL(38, 2), ap DECIMAL(38, 6), an INT) WITH ('connector' = 'kafka', 'topic' = 'o1', 'format' = 'json');
INSERT INTO o1 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES FIRST(n) AS f, LAST(n) AS l, SUM(A.d) AS s, AVG(A.d) AS a, MIN(A.d) AS mi, MAX(A.d) AS ma, MIN(A.s) AS ms, MAX(s) AS xs, SUM(A.p) AS sp, AVG(p) AS ap, AVG(n) AS an ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A+ B)  DEFINE A AS A.v < 12 OR A.v IS NULL, B AS B.v >= 12) AS m;
CREATE TABLE o2 (k STRING, f INT, l INT, a1 INT, x1 INT, l2 INT, f3 INT, an INT, bn INT, nn INT, vv BIGINT) WITH ('connector' = 'kafka', 'topic' = 'o2', 'format' = 'json');
INSERT INTO o2 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES FIRST(n) AS f, LAST(n) AS l, LAST(A.n, 1) AS a1, FIRST(A.n, 1) AS x1, LAST(n, 2) AS l2, FIRST(n, 3) AS f3, A.n AS an, B.n AS bn, n AS nn, v AS vv ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A{2,4} B)  DEFINE A AS LAST(A.v, 1) IS NULL OR A.v > LAST(A.v, 1), B AS B.v < LAST(A.v)) AS m;
CREATE TABLE o3 (k STRING, f INT, l INT, s BIGINT, x BIGINT, df BIGINT, cn INT) WITH ('connector' = 'kafka', 'topic' = 'o3', 'format' = 'json');
INSERT INTO o3 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES FIRST(n) AS f, LAST(n) AS l, SUM(A.v * 2 + A.n) AS s, LAST(A.v + A.n, 1) AS x, A.v - B.v AS df, COALESCE(LAST(C.n), -1) AS cn ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A+ C{0,2} B)  DEFINE A AS SUM(A.v) < 30, B AS B.v > AVG(A.v), C AS C.v = 7) AS m;
CREATE TABLE o4 (k STRING, f INT, l INT, c BIGINT) WITH ('connector' = 'kafka', 'topic' = 'o4', 'format' = 'json');
INSERT INTO o4 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES FIRST(n) AS f, LAST(n) AS l, COUNT(A.n) AS c ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+ C)  DEFINE A AS A.v > 3, B AS SUM(v) < 40 AND COUNT(B.v) < 4, C AS LAST(v, 1) < C.v) AS m;
CREATE TABLE o5 (k STRING, g STRING, f INT, l INT) WITH ('connector' = 'kafka', 'topic' = 'o5', 'format' = 'json');
INSERT INTO o5 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k, g ORDER BY ts, n MEASURES FIRST(n) AS f, LAST(n) AS l ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B)  DEFINE A AS A.v > 0, B AS B.v > A.v) AS m;
CREATE TABLE o6 (k STRING, f INT, l INT) WITH ('connector' = 'kafka', 'topic' = 'o6', 'format' = 'json');
INSERT INTO o6 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n DESC MEASURES FIRST(n) AS f, LAST(n) AS l ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B)  DEFINE A AS A.v > 0, B AS B.v > A.v) AS m;
CREATE TABLE o7 (k STRING, f INT, l INT) WITH ('connector' = 'kafka', 'topic' = 'o7', 'format' = 'json');
INSERT INTO o7 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, v, n DESC MEASURES FIRST(n) AS f, LAST(n) AS l ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B)  DEFINE A AS A.v > 0, B AS B.v > A.v) AS m;
CREATE TABLE o8 (k STRING, f INT, l INT) WITH ('connector' = 'kafka', 'topic' = 'o8', 'format' = 'json');
INSERT INTO o8 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, s DESC, n MEASURES FIRST(n) AS f, LAST(n) AS l ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B)  DEFINE B AS B.v > FIRST(v)) AS m;
CREATE TABLE o9 (k STRING, f INT, l INT) WITH ('connector' = 'kafka', 'topic' = 'o9', 'format' = 'json');
INSERT INTO o9 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES FIRST(n) AS f, LAST(n) AS l ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+? C)  DEFINE B AS B.v > FIRST(v) OR MAX(B.v) > 10, C AS FIRST(B.n, 1) IS NOT NULL AND MIN(v) < C.v) AS m;
CREATE TABLE o10 (k STRING, f INT, l INT, r DOUBLE, b VARCHAR(3), u STRING) WITH ('connector' = 'kafka', 'topic' = 'o10', 'format' = 'json');
INSERT INTO o10 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES FIRST(n) AS f, LAST(n) AS l, CAST(SUM(A.v) AS DOUBLE) / COUNT(A.v) AS r, CASE WHEN B.s = 'p' THEN 'yes' ELSE 'no' END AS b, UPPER(B.s) AS u ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A+ B)  DEFINE A AS A.s <> 'p', B AS B.s = 'p') AS m;
CREATE TABLE o11 (k STRING, r TIMESTAMP(3), r2 TIMESTAMP_LTZ(3), a TIMESTAMP_LTZ(3)) WITH ('connector' = 'kafka', 'topic' = 'o11', 'format' = 'json');
INSERT INTO o11 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES MATCH_ROWTIME() AS r, MATCH_ROWTIME(ts) AS r2, A.ts AS a ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+? C) WITHIN INTERVAL '4' SECOND DEFINE B AS B.v > 5, C AS C.v > 15) AS m;
CREATE TABLE o12 (window_start TIMESTAMP(3), EXPR$1 BIGINT, EXPR$2 INT) WITH ('connector' = 'kafka', 'topic' = 'o12', 'format' = 'json');
INSERT INTO o12 SELECT window_start, COUNT(*), SUM(x) FROM (SELECT * FROM TABLE(TUMBLE(TABLE mv, DESCRIPTOR(rt), INTERVAL '5' SECOND))) GROUP BY window_start, window_end;
CREATE TABLE o13 (k STRING, f INT, l INT) WITH ('connector' = 'kafka', 'topic' = 'o13', 'format' = 'json');
INSERT INTO o13 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES FIRST(n) AS f, LAST(n) AS l ONE ROW PER MATCH AFTER MATCH SKIP TO LAST A PATTERN (A{2,} B)  DEFINE A AS A.v > 2, B AS B.v > 10) AS m;
CREATE TABLE o14 (k STRING, f INT, l INT) WITH ('connector' = 'kafka', 'topic' = 'o14', 'format' = 'json');
INSERT INTO o14 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES FIRST(n) AS f, LAST(n) AS l ONE ROW PER MATCH AFTER MATCH SKIP TO LAST A PATTERN (A{2} B)  DEFINE A AS A.v > 2, B AS B.v > 10) AS m;
CREATE TABLE o15 (k STRING, f INT, l INT) WITH ('connector' = 'kafka', 'topic' = 'o15', 'format' = 'json');
INSERT INTO o15 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES FIRST(n) AS f, LAST(n) AS l ONE ROW PER MATCH AFTER MATCH SKIP TO FIRST C PATTERN (A B C)  DEFINE B AS B.v > A.v, C AS C.v > B.v) AS m;
CREATE TABLE o16 (k STRING, f INT, l INT) WITH ('connector' = 'kafka', 'topic' = 'o16', 'format' = 'json');
INSERT INTO o16 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES FIRST(n) AS f, LAST(n) AS l ONE ROW PER MATCH AFTER MATCH SKIP TO FIRST B PATTERN (A B C)  DEFINE B AS B.v > A.v, C AS C.v > B.v) AS m;
CREATE TABLE o17 (k STRING, an INT, kn INT) WITH ('connector' = 'kafka', 'topic' = 'o17', 'format' = 'json');
INSERT INTO o17 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES A.n AS an, K.n AS kn ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A K)  DEFINE K AS K.v > A.v) AS m;
CREATE TABLE o18 (k STRING, c BIGINT) WITH ('connector' = 'kafka', 'topic' = 'o18', 'format' = 'json');
INSERT INTO o18 SELECT * FROM w MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES COUNT(*) AS c ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B)  DEFINE B AS B.v > A.v) AS m;
CREATE TABLE o19 (a INT, b INT) WITH ('connector' = 'kafka', 'topic' = 'o19', 'format' = 'json');
INSERT INTO o19 SELECT * FROM w MATCH_RECOGNIZE (ORDER BY ts, n MEASURES A.n AS a, B.n AS b ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B) DEFINE B AS B.v > A.v) AS m;
CREATE TABLE o20 (k STRING, f INT) WITH ('connector' = 'kafka', 'topic' = 'o20', 'format' = 'json');
INSERT INTO o20 SELECT k, f FROM w AS x MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES A.n AS f PATTERN (A B) DEFINE B AS B.v > A.v) WHERE f > 10;
CREATE TABLE o21 (k STRING, f INT, s INT) WITH ('connector' = 'kafka', 'topic' = 'o21', 'format' = 'json');
INSERT INTO o21 WITH c AS (SELECT k, n * 2 AS m2, ts, n, v FROM w) SELECT * FROM c MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n MEASURES A.m2 AS f, SUM(m2) AS s PATTERN (A B) DEFINE B AS B.v > A.v);

-- rows of w
{"k": "a", "g": "y", "n": 1, "v": 18, "d": 10.0, "s": "q", "p": 0.94, "t": 0}
{"k": "b", "g": "x", "n": 2, "v": 16, "d": null, "s": null, "p": 1.55, "t": 1000}
{"k": "b", "g": "x", "n": 3, "v": 18, "d": 10.0, "s": null, "p": 4.93, "t": 1500}
{"k": "b", "g": "x", "n": 4, "v": 20, "d": 10.0, "s": "p", "p": 4.25, "t": 2000}
{"k": "a", "g": "x", "n": 5, "v": 2, "d": 1.5, "s": "p", "p": 3.98, "t": 2000}
{"k": "b", "g": "x", "n": 7, "v": 1, "d": 0.5, "s": "rr", "p": 2.08, "t": 3000}
{"k": "b", "g": "x", "n": 6, "v": 15, "d": 10.0, "s": "q", "p": 3.27, "t": 3500}
{"k": "b", "g": "y", "n": 8, "v": 3, "d": 2.25, "s": "q", "p": 2.62, "t": 4000}
{"k": "b", "g": "x", "n": 9, "v": 3, "d": 0.5, "s": "p", "p": 4.33, "t": 4500}
{"k": "a", "g": "x", "n": 10, "v": 3, "d": 1.5, "s": "q", "p": 4.74, "t": 5000}
{"k": "a", "g": "y", "n": 11, "v": 16, "d": 0.5, "s": "p", "p": 2.89, "t": 5000}
{"k": "a", "g": "x", "n": 13, "v": 4, "d": null, "s": "p", "p": 0.3, "t": 6000}
{"k": "a", "g": "x", "n": 12, "v": 9, "d": 2.25, "s": "rr", "p": 0.07, "t": 6500}
{"k": "a", "g": "x", "n": 14, "v": 16, "d": 0.5, "s": "q", "p": 3.74, "t": 7000}
{"k": "b", "g": "y", "n": 15, "v": 14, "d": null, "s": null, "p": 2.15, "t": 7500}
{"k": "a", "g": "y", "n": 16, "v": 1, "d": null, "s": "q", "p": 0.95, "t": 8000}
{"k": "b", "g": "x", "n": 17, "v": 20, "d": null, "s": "q", "p": 1.09, "t": 8000}
{"k": "a", "g": "x", "n": 19, "v": null, "d": null, "s": "rr", "p": 1.9, "t": 9000}
{"k": "b", "g": "y", "n": 18, "v": 1, "d": 2.25, "s": null, "p": 0.37, "t": 9500}
{"k": "b", "g": "y", "n": 20, "v": 5, "d": 10.0, "s": "q", "p": 4.43, "t": 10000}
{"k": "a", "g": "x", "n": 21, "v": 5, "d": 10.0, "s": "q", "p": 3.71, "t": 10500}
{"k": "a", "g": "y", "n": 22, "v": 18, "d": 0.5, "s": "p", "p": 2.15, "t": 11000}
{"k": "a", "g": "x", "n": 23, "v": null, "d": 10.0, "s": "rr", "p": 1.22, "t": 11000}
{"k": "a", "g": "x", "n": 25, "v": 3, "d": 0.5, "s": "p", "p": 1.43, "t": 12000}
{"k": "a", "g": "y", "n": 24, "v": 13, "d": 10.0, "s": null, "p": 1.5, "t": 12500}
{"k": "b", "g": "x", "n": 26, "v": 7, "d": null, "s": "rr", "p": 2.1, "t": 13000}
{"k": "a", "g": "x", "n": 27, "v": 2, "d": 2.25, "s": "rr", "p": 2.71, "t": 13500}
{"k": "a", "g": "y", "n": 28, "v": 5, "d": 1.5, "s": null, "p": 1.69, "t": 14000}
{"k": "b", "g": "x", "n": 29, "v": 17, "d": 10.0, "s": "p", "p": 4.72, "t": 14000}
{"k": "a", "g": "y", "n": 31, "v": 16, "d": 2.25, "s": "q", "p": 0.37, "t": 15000}
{"k": "a", "g": "y", "n": 30, "v": null, "d": null, "s": "p", "p": 3.06, "t": 15500}
{"k": "b", "g": "y", "n": 32, "v": null, "d": null, "s": "q", "p": 4.06, "t": 16000}
{"k": "a", "g": "x", "n": 33, "v": 11, "d": 0.5, "s": "p", "p": 4.46, "t": 16500}
{"k": "a", "g": "x", "n": 34, "v": 1, "d": 10.0, "s": null, "p": 1.94, "t": 17000}
{"k": "a", "g": "x", "n": 35, "v": 20, "d": null, "s": "p", "p": 1.31, "t": 17000}
{"k": "b", "g": "x", "n": 37, "v": 17, "d": 2.25, "s": "p", "p": 2.46, "t": 18000}
{"k": "a", "g": "y", "n": 36, "v": 11, "d": 0.5, "s": null, "p": 4.29, "t": 18500}
{"k": "b", "g": "x", "n": 38, "v": null, "d": 0.5, "s": null, "p": 1.3, "t": 19000}
{"k": "a", "g": "x", "n": 39, "v": 12, "d": 10.0, "s": "q", "p": 2.65, "t": 19500}
{"k": "b", "g": "y", "n": 40, "v": 11, "d": 0.5, "s": "q", "p": 1.67, "t": 20000}
{"k": "a", "g": "y", "n": 41, "v": 9, "d": 1.5, "s": "q", "p": 1.96, "t": 20000}
{"k": "b", "g": "x", "n": 43, "v": 2, "d": 2.25, "s": "q", "p": 0.57, "t": 21000}
{"k": "a", "g": "x", "n": 42, "v": 11, "d": 1.5, "s": null, "p": 1.79, "t": 21500}
{"k": "a", "g": "y", "n": 44, "v": 9, "d": 0.5, "s": null, "p": 3.44, "t": 22000}
{"k": "a", "g": "y", "n": 45, "v": 20, "d": null, "s": "p", "p": 1.42, "t": 22500}
{"k": "b", "g": "y", "n": 46, "v": 2, "d": 10.0, "s": "rr", "p": 1.58, "t": 23000}
{"k": "a", "g": "x", "n": 47, "v": 19, "d": 0.5, "s": null, "p": 0.97, "t": 23000}
{"k": "b", "g": "y", "n": 49, "v": 4, "d": null, "s": "q", "p": 1.02, "t": 24000}
{"k": "a", "g": "x", "n": 48, "v": null, "d": 1.5, "s": "p", "p": 3.22, "t": 24500}
{"k": "a", "g": "x", "n": 50, "v": 9, "d": 0.5, "s": "p", "p": 0.91, "t": 25000}
{"k": "b", "g": "x", "n": 51, "v": 12, "d": 0.5, "s": "q", "p": 0.44, "t": 25500}
{"k": "a", "g": "y", "n": 52, "v": 13, "d": 0.5, "s": "q", "p": 3.2, "t": 26000}
{"k": "a", "g": "y", "n": 53, "v": 1, "d": 0.5, "s": "rr", "p": 3.33, "t": 26000}
{"k": "a", "g": "y", "n": 55, "v": 3, "d": 2.25, "s": "p", "p": 1.78, "t": 27000}
{"k": "b", "g": "x", "n": 54, "v": 4, "d": 1.5, "s": "q", "p": 4.6, "t": 27500}
{"k": "a", "g": "y", "n": 56, "v": 2, "d": 10.0, "s": null, "p": 3.93, "t": 28000}
{"k": "a", "g": "x", "n": 57, "v": 1, "d": 0.5, "s": "p", "p": 0.88, "t": 28500}
{"k": "a", "g": "x", "n": 58, "v": 5, "d": 10.0, "s": null, "p": 4.84, "t": 29000}
{"k": "b", "g": "x", "n": 59, "v": 19, "d": 1.5, "s": null, "p": 2.69, "t": 29000}
{"k": "b", "g": "x", "n": 60, "v": 18, "d": 10.0, "s": "rr", "p": 1.59, "t": 30500}
-- answer of o0
{"k": "a", "f": 5, "l": 11, "c": 2, "c2": 3, "s": 5, "a": 2, "mi": 2, "ma": 16}
{"k": "a", "f": 13, "l": 14, "c": 2, "c2": 3, "s": 13, "a": 6, "mi": 4, "ma": 16}
{"k": "a", "f": 16, "l": 22, "c": 2, "c2": 4, "s": 6, "a": 3, "mi": 1, "ma": 18}
{"k": "a", "f": 23, "l": 24, "c": 1, "c2": 3, "s": 3, "a": 3, "mi": 3, "ma": 13}
{"k": "a", "f": 27, "l": 31, "c": 2, "c2": 3, "s": 7, "a": 3, "mi": 2, "ma": 16}
{"k": "a", "f": 30, "l": 35, "c": 2, "c2": 4, "s": 12, "a": 6, "mi": 1, "ma": 20}
{"k": "a", "f": 36, "l": 39, "c": 1, "c2": 2, "s": 11, "a": 11, "mi": 11, "ma": 12}
{"k": "a", "f": 41, "l": 45, "c": 3, "c2": 4, "s": 29, "a": 9, "mi": 9, "ma": 20}
{"k": "a", "f": 48, "l": 52, "c": 1, "c2": 3, "s": 9, "a": 9, "mi": 9, "ma": 13}
{"k": "b", "f": 7, "l": 6, "c": 1, "c2": 2, "s": 1, "a": 1, "mi": 1, "ma": 15}
{"k": "b", "f": 8, "l": 15, "c": 2, "c2": 3, "s": 6, "a": 3, "mi": 3, "ma": 14}
{"k": "b", "f": 18, "l": 29, "c": 3, "c2": 4, "s": 13, "a": 4, "mi": 1, "ma": 17}
{"k": "b", "f": 32, "l": 37, "c": 0, "c2": 2, "s": null, "a": null, "mi": null, "ma": 17}
{"k": "b", "f": 38, "l": 51, "c": 4, "c2": 6, "s": 19, "a": 4, "mi": 2, "ma": 12}
{"k": "b", "f": 54, "l": 59, "c": 1, "c2": 2, "s": 4, "a": 4, "mi": 4, "ma": 19}
-- answer of o1
{"k": "a", "f": 5, "l": 11, "s": 3.0, "a": 1.5, "mi": 1.5, "ma": 1.5, "ms": "p", "xs": "q", "sp": 8.72, "ap": 3.87, "an": 8}
{"k": "a", "f": 13, "l": 14, "s": 2.25, "a": 2.25, "mi": 2.25, "ma": 2.25, "ms": "p", "xs": "rr", "sp": 0.37, "ap": 1.37, "an": 13}
{"k": "a", "f": 16, "l": 22, "s": 10.0, "a": 10.0, "mi": 10.0, "ma": 10.0, "ms": "q", "xs": "rr", "sp": 6.56, "ap": 2.1775, "an": 19}
{"k": "a", "f": 23, "l": 24, "s": 10.5, "a": 5.25, "mi": 0.5, "ma": 10.0, "ms": "p", "xs": "rr", "sp": 2.65, "ap": 1.383333, "an": 24}
{"k": "a", "f": 27, "l": 31, "s": 3.75, "a": 1.875, "mi": 1.5, "ma": 2.25, "ms": "rr", "xs": "rr", "sp": 4.4, "ap": 1.59, "an": 28}
{"k": "a", "f": 30, "l": 35, "s": 10.5, "a": 5.25, "mi": 0.5, "ma": 10.0, "ms": "p", "xs": "p", "sp": 9.46, "ap": 2.6925, "an": 33}
{"k": "a", "f": 36, "l": 39, "s": 0.5, "a": 0.5, "mi": 0.5, "ma": 0.5, "ms": null, "xs": "q", "sp": 4.29, "ap": 3.47, "an": 37}
{"k": "a", "f": 41, "l": 45, "s": 3.5, "a": 1.1666666666666667, "mi": 0.5, "ma": 1.5, "ms": "q", "xs": "q", "sp": 7.19, "ap": 2.1525, "an": 43}
{"k": "a", "f": 48, "l": 52, "s": 2.0, "a": 1.0, "mi": 0.5, "ma": 1.5, "ms": "p", "xs": "q", "sp": 4.13, "ap": 2.443333, "an": 50}
{"k": "b", "f": 7, "l": 6, "s": 0.5, "a": 0.5, "mi": 0.5, "ma": 0.5, "ms": "rr", "xs": "rr", "sp": 2.08, "ap": 2.675, "an": 6}
{"k": "b", "f": 8, "l": 15, "s": 2.75, "a": 1.375, "mi": 0.5, "ma": 2.25, "ms": "p", "xs": "q", "sp": 6.95, "ap": 3.033333, "an": 10}
{"k": "b", "f": 18, "l": 29, "s": 12.25, "a": 6.125, "mi": 2.25, "ma": 10.0, "ms": "q", "xs": "rr", "sp": 6.9, "ap": 2.905, "an": 23}
{"k": "b", "f": 32, "l": 37, "s": null, "a": null, "mi": null, "ma": null, "ms": "q", "xs": "q", "sp": 4.06, "ap": 3.26, "an": 34}
{"k": "b", "f": 38, "l": 51, "s": 13.25, "a": 3.3125, "mi": 0.5, "ma": 10.0, "ms": "q", "xs": "rr", "sp": 6.14, "ap": 1.096667, "an": 44}
{"k": "b", "f": 54, "l": 59, "s": 1.5, "a": 1.5, "mi": 1.5, "ma": 1.5, "ms": "q", "xs": "q", "sp": 4.6, "ap": 3.645, "an": 56}
-- answer of o2
{"k": "a", "f": 5, "l": 13, "a1": 10, "x1": 10, "l2": 10, "f3": 13, "an": 11, "bn": 13, "nn": 13, "vv": 4}
{"k": "a", "f": 12, "l": 16, "a1": 12, "x1": 14, "l2": 12, "f3": null, "an": 14, "bn": 16, "nn": 16, "vv": 1}
{"k": "a", "f": 23, "l": 27, "a1": 25, "x1": 25, "l2": 25, "f3": 27, "an": 24, "bn": 27, "nn": 27, "vv": 2}
{"k": "a", "f": 30, "l": 34, "a1": 30, "x1": 33, "l2": 30, "f3": null, "an": 33, "bn": 34, "nn": 34, "vv": 1}
{"k": "a", "f": 36, "l": 41, "a1": 36, "x1": 39, "l2": 36, "f3": null, "an": 39, "bn": 41, "nn": 41, "vv": 9}
{"k": "a", "f": 44, "l": 47, "a1": 44, "x1": 45, "l2": 44, "f3": null, "an": 45, "bn": 47, "nn": 47, "vv": 19}
{"k": "a", "f": 48, "l": 53, "a1": 50, "x1": 50, "l2": 50, "f3": 53, "an": 52, "bn": 53, "nn": 53, "vv": 1}
{"k": "b", "f": 2, "l": 7, "a1": 3, "x1": 3, "l2": 3, "f3": 7, "an": 4, "bn": 7, "nn": 7, "vv": 1}
{"k": "b", "f": 9, "l": 18, "a1": 15, "x1": 15, "l2": 15, "f3": 18, "an": 17, "bn": 18, "nn": 18, "vv": 1}
{"k": "b", "f": 38, "l": 43, "a1": 38, "x1": 40, "l2": 38, "f3": null, "an": 40, "bn": 43, "nn": 43, "vv": 2}
{"k": "b", "f": 46, "l": 54, "a1": 49, "x1": 49, "l2": 49, "f3": 54, "an": 51, "bn": 54, "nn": 54, "vv": 4}
-- answer of o3
{"k": "a", "f": 1, "l": 11, "s": 62, "x": 7, "df": -13, "cn": -1}
{"k": "a", "f": 14, "l": 22, "s": 95, "x": null, "df": -13, "cn": -1}
{"k": "a", "f": 25, "l": 31, "s": 150, "x": 29, "df": -11, "cn": -1}
{"k": "a", "f": 33, "l": 35, "s": 91, "x": 44, "df": -19, "cn": -1}
{"k": "a", "f": 39, "l": 42, "s": 122, "x": 51, "df": -2, "cn": -1}
{"k": "a", "f": 44, "l": 47, "s": 147, "x": 53, "df": 1, "cn": -1}
{"k": "a", "f": 50, "l": 58, "s": 381, "x": 58, "df": -4, "cn": -1}
{"k": "b", "f": 2, "l": 3, "s": 34, "x": null, "df": -2, "cn": -1}
{"k": "b", "f": 4, "l": 6, "s": 53, "x": 24, "df": -14, "cn": -1}
{"k": "b", "f": 8, "l": 17, "s": 72, "x": 12, "df": -6, "cn": -1}
{"k": "b", "f": 18, "l": 29, "s": 90, "x": 25, "df": -10, "cn": -1}
{"k": "b", "f": 40, "l": 51, "s": 216, "x": 48, "df": -8, "cn": -1}
{"k": "b", "f": 54, "l": 60, "s": 159, "x": 58, "df": 1, "cn": -1}
-- answer of o4
{"k": "a", "f": 11, "l": 14, "c": 1}
{"k": "a", "f": 22, "l": 28, "c": 1}
{"k": "a", "f": 31, "l": 35, "c": 1}
{"k": "a", "f": 36, "l": 42, "c": 1}
{"k": "a", "f": 47, "l": 52, "c": 1}
{"k": "b", "f": 2, "l": 4, "c": 1}
{"k": "b", "f": 6, "l": 17, "c": 1}
{"k": "b", "f": 37, "l": 49, "c": 1}
-- answer of o5
{"k": "a", "g": "y", "f": 16, "l": 22}
{"k": "a", "g": "y", "f": 28, "l": 31}
{"k": "a", "g": "y", "f": 44, "l": 45}
{"k": "a", "g": "y", "f": 53, "l": 55}
{"k": "b", "g": "x", "f": 2, "l": 3}
{"k": "b", "g": "x", "f": 7, "l": 6}
{"k": "b", "g": "x", "f": 9, "l": 17}
{"k": "b", "g": "x", "f": 26, "l": 29}
{"k": "b", "g": "x", "f": 43, "l": 51}
{"k": "b", "g": "x", "f": 54, "l": 59}
{"k": "a", "g": "x", "f": 5, "l": 10}
{"k": "a", "g": "x", "f": 13, "l": 12}
{"k": "a", "g": "x", "f": 27, "l": 33}
{"k": "a", "g": "x", "f": 34, "l": 35}
{"k": "a", "g": "x", "f": 42, "l": 47}
{"k": "a", "g": "x", "f": 57, "l": 58}
{"k": "b", "g": "y", "f": 8, "l": 15}
{"k": "b", "g": "y", "f": 18, "l": 20}
{"k": "b", "g": "y", "f": 46, "l": 49}
-- answer of o6
{"k": "a", "f": 5, "l": 11}
{"k": "a", "f": 10, "l": 13}
{"k": "a", "f": 12, "l": 14}
{"k": "a", "f": 25, "l": 24}
{"k": "a", "f": 27, "l": 28}
{"k": "a", "f": 33, "l": 35}
{"k": "a", "f": 34, "l": 36}
{"k": "a", "f": 41, "l": 42}
{"k": "a", "f": 44, "l": 45}
{"k": "a", "f": 53, "l": 52}
{"k": "a", "f": 57, "l": 58}
{"k": "b", "f": 2, "l": 3}
{"k": "b", "f": 7, "l": 6}
{"k": "b", "f": 9, "l": 15}
{"k": "b", "f": 18, "l": 20}
{"k": "b", "f": 26, "l": 29}
{"k": "b", "f": 46, "l": 49}
{"k": "b", "f": 54, "l": 59}
-- answer of o7
{"k": "a", "f": 5, "l": 10}
{"k": "a", "f": 13, "l": 12}
{"k": "a", "f": 25, "l": 24}
{"k": "a", "f": 27, "l": 28}
{"k": "a", "f": 34, "l": 35}
{"k": "a", "f": 36, "l": 39}
{"k": "a", "f": 41, "l": 42}
{"k": "a", "f": 44, "l": 45}
{"k": "a", "f": 53, "l": 52}
{"k": "a", "f": 57, "l": 58}
{"k": "b", "f": 2, "l": 3}
{"k": "b", "f": 7, "l": 6}
{"k": "b", "f": 9, "l": 15}
{"k": "b", "f": 18, "l": 20}
{"k": "b", "f": 26, "l": 29}
{"k": "b", "f": 46, "l": 49}
{"k": "b", "f": 54, "l": 59}
-- answer of o8
{"k": "a", "f": 5, "l": 10}
{"k": "a", "f": 13, "l": 12}
{"k": "a", "f": 25, "l": 24}
{"k": "a", "f": 27, "l": 28}
{"k": "a", "f": 33, "l": 35}
{"k": "a", "f": 34, "l": 36}
{"k": "a", "f": 41, "l": 42}
{"k": "a", "f": 44, "l": 45}
{"k": "a", "f": 53, "l": 52}
{"k": "a", "f": 57, "l": 58}
{"k": "b", "f": 2, "l": 3}
{"k": "b", "f": 7, "l": 6}
{"k": "b", "f": 9, "l": 15}
{"k": "b", "f": 18, "l": 20}
{"k": "b", "f": 26, "l": 29}
{"k": "b", "f": 46, "l": 49}
{"k": "b", "f": 54, "l": 59}
-- answer of o9
{"k": "a", "f": 5, "l": 13}
{"k": "a", "f": 10, "l": 12}
{"k": "a", "f": 13, "l": 21}
{"k": "a", "f": 12, "l": 21}
{"k": "a", "f": 21, "l": 24}
{"k": "a", "f": 25, "l": 28}
{"k": "a", "f": 27, "l": 33}
{"k": "a", "f": 28, "l": 33}
{"k": "a", "f": 30, "l": 35}
{"k": "a", "f": 34, "l": 39}
{"k": "a", "f": 35, "l": 42}
{"k": "a", "f": 36, "l": 42}
{"k": "a", "f": 41, "l": 45}
{"k": "a", "f": 44, "l": 52}
{"k": "a", "f": 45, "l": 52}
{"k": "a", "f": 50, "l": 55}
{"k": "b", "f": 2, "l": 6}
{"k": "b", "f": 3, "l": 6}
{"k": "b", "f": 7, "l": 9}
{"k": "b", "f": 9, "l": 20}
{"k": "b", "f": 15, "l": 20}
{"k": "b", "f": 18, "l": 29}
{"k": "b", "f": 20, "l": 37}
{"k": "b", "f": 26, "l": 37}
{"k": "b", "f": 32, "l": 49}
{"k": "b", "f": 38, "l": 49}
{"k": "b", "f": 46, "l": 54}
{"k": "b", "f": 49, "l": 59}
-- answer of o10
{"k": "a", "f": 1, "l": 5, "r": 18.0, "b": "yes", "u": "P"}
{"k": "a", "f": 10, "l": 11, "r": 3.0, "b": "yes", "u": "P"}
{"k": "a", "f": 12, "l": 22, "r": 7.75, "b": "yes", "u": "P"}
{"k": "a", "f": 23, "l": 25, "r": null, "b": "yes", "u": "P"}
{"k": "a", "f": 31, "l": 30, "r": 16.0, "b": "yes", "u": "P"}
{"k": "a", "f": 52, "l": 55, "r": 7.0, "b": "yes", "u": "P"}
{"k": "b", "f": 7, "l": 9, "r": 6.333333333333333, "b": "yes", "u": "P"}
{"k": "b", "f": 20, "l": 29, "r": 6.0, "b": "yes", "u": "P"}
{"k": "b", "f": 32, "l": 37, "r": null, "b": "yes", "u": "P"}
-- answer of o11
{"k": "a", "r": "1970-01-01 00:00:07", "r2": "1970-01-01 00:00:07Z", "a": "1970-01-01 00:00:06Z"}
{"k": "a", "r": "1970-01-01 00:00:22.5", "r2": "1970-01-01 00:00:22.5Z", "a": "1970-01-01 00:00:19.5Z"}
{"k": "a", "r": "1970-01-01 00:00:22.5", "r2": "1970-01-01 00:00:22.5Z", "a": "1970-01-01 00:00:20Z"}
{"k": "a", "r": "1970-01-01 00:00:22.5", "r2": "1970-01-01 00:00:22.5Z", "a": "1970-01-01 00:00:21.5Z"}
{"k": "a", "r": "1970-01-01 00:00:23", "r2": "1970-01-01 00:00:23Z", "a": "1970-01-01 00:00:22Z"}
{"k": "b", "r": "1970-01-01 00:00:02", "r2": "1970-01-01 00:00:02Z", "a": "1970-01-01 00:00:01Z"}
{"k": "b", "r": "1970-01-01 00:00:08", "r2": "1970-01-01 00:00:08Z", "a": "1970-01-01 00:00:04.5Z"}
{"k": "b", "r": "1970-01-01 00:00:30.5", "r2": "1970-01-01 00:00:30.5Z", "a": "1970-01-01 00:00:27.5Z"}
-- answer of o12
{"window_start": "1970-01-01 00:00:00", "EXPR$1": 2, "EXPR$2": 9}
{"window_start": "1970-01-01 00:00:05", "EXPR$1": 3, "EXPR$2": 37}
{"window_start": "1970-01-01 00:00:10", "EXPR$1": 5, "EXPR$2": 123}
{"window_start": "1970-01-01 00:00:15", "EXPR$1": 2, "EXPR$2": 74}
{"window_start": "1970-01-01 00:00:20", "EXPR$1": 3, "EXPR$2": 136}
{"window_start": "1970-01-01 00:00:25", "EXPR$1": 4, "EXPR$2": 224}
-- answer of o13
-- answer of o14
{"k": "a", "f": 13, "l": 14}
{"k": "a", "f": 35, "l": 39}
{"k": "a", "f": 39, "l": 42}
{"k": "a", "f": 42, "l": 45}
{"k": "a", "f": 44, "l": 47}
{"k": "b", "f": 2, "l": 4}
{"k": "b", "f": 8, "l": 15}
{"k": "b", "f": 9, "l": 17}
{"k": "b", "f": 20, "l": 29}
{"k": "b", "f": 51, "l": 59}
{"k": "b", "f": 54, "l": 60}
-- answer of o15
{"k": "a", "f": 5, "l": 11}
{"k": "a", "f": 13, "l": 14}
{"k": "a", "f": 27, "l": 31}
{"k": "b", "f": 2, "l": 4}
{"k": "b", "f": 9, "l": 17}
{"k": "b", "f": 18, "l": 26}
{"k": "b", "f": 46, "l": 51}
-- answer of o16
{"k": "a", "f": 5, "l": 11}
{"k": "a", "f": 13, "l": 14}
{"k": "a", "f": 27, "l": 31}
{"k": "b", "f": 2, "l": 4}
{"k": "b", "f": 9, "l": 17}
{"k": "b", "f": 18, "l": 26}
{"k": "b", "f": 20, "l": 29}
{"k": "b", "f": 46, "l": 51}
-- answer of o17
{"k": "a", "an": 5, "kn": 10}
{"k": "a", "an": 13, "kn": 12}
{"k": "a", "an": 21, "kn": 22}
{"k": "a", "an": 25, "kn": 24}
{"k": "a", "an": 27, "kn": 28}
{"k": "a", "an": 34, "kn": 35}
{"k": "a", "an": 36, "kn": 39}
{"k": "a", "an": 41, "kn": 42}
{"k": "a", "an": 44, "kn": 45}
{"k": "a", "an": 50, "kn": 52}
{"k": "a", "an": 53, "kn": 55}
{"k": "a", "an": 57, "kn": 58}
{"k": "b", "an": 2, "kn": 3}
{"k": "b", "an": 7, "kn": 6}
{"k": "b", "an": 9, "kn": 15}
{"k": "b", "an": 18, "kn": 20}
{"k": "b", "an": 26, "kn": 29}
{"k": "b", "an": 46, "kn": 49}
{"k": "b", "an": 54, "kn": 59}
-- answer of o18
{"k": "a", "c": 2}
{"k": "a", "c": 2}
{"k": "a", "c": 2}
{"k": "a", "c": 2}
{"k": "a", "c": 2}
{"k": "a", "c": 2}
{"k": "a", "c": 2}
{"k": "a", "c": 2}
{"k": "a", "c": 2}
{"k": "a", "c": 2}
{"k": "a", "c": 2}
{"k": "a", "c": 2}
{"k": "b", "c": 2}
{"k": "b", "c": 2}
{"k": "b", "c": 2}
{"k": "b", "c": 2}
{"k": "b", "c": 2}
{"k": "b", "c": 2}
{"k": "b", "c": 2}
-- answer of o19
{"a": 2, "b": 3}
{"a": 7, "b": 6}
{"a": 10, "b": 11}
{"a": 13, "b": 12}
{"a": 16, "b": 17}
{"a": 18, "b": 20}
{"a": 21, "b": 22}
{"a": 25, "b": 24}
{"a": 27, "b": 28}
{"a": 34, "b": 35}
{"a": 43, "b": 42}
{"a": 44, "b": 45}
{"a": 46, "b": 47}
{"a": 50, "b": 51}
{"a": 53, "b": 55}
{"a": 57, "b": 58}
-- answer of o20
{"k": "a", "f": 13}
{"k": "a", "f": 12}
{"k": "a", "f": 21}
{"k": "a", "f": 25}
{"k": "a", "f": 27}
{"k": "a", "f": 28}
{"k": "a", "f": 34}
{"k": "a", "f": 36}
{"k": "a", "f": 41}
{"k": "a", "f": 44}
{"k": "a", "f": 50}
{"k": "a", "f": 53}
{"k": "a", "f": 57}
{"k": "b", "f": 15}
{"k": "b", "f": 18}
{"k": "b", "f": 20}
{"k": "b", "f": 26}
{"k": "b", "f": 46}
{"k": "b", "f": 49}
{"k": "b", "f": 54}
-- answer of o21
{"k": "a", "f": 10, "s": 30}
{"k": "a", "f": 20, "s": 42}
{"k": "a", "f": 26, "s": 50}
{"k": "a", "f": 24, "s": 52}
{"k": "a", "f": 42, "s": 86}
{"k": "a", "f": 50, "s": 98}
{"k": "a", "f": 54, "s": 110}
{"k": "a", "f": 56, "s": 118}
{"k": "a", "f": 68, "s": 138}
{"k": "a", "f": 72, "s": 150}
{"k": "a", "f": 82, "s": 166}
{"k": "a", "f": 88, "s": 178}
{"k": "a", "f": 100, "s": 204}
{"k": "a", "f": 106, "s": 216}
{"k": "a", "f": 114, "s": 230}
{"k": "b", "f": 4, "s": 10}
{"k": "b", "f": 6, "s": 14}
{"k": "b", "f": 14, "s": 26}
{"k": "b", "f": 18, "s": 48}
{"k": "b", "f": 30, "s": 64}
{"k": "b", "f": 36, "s": 76}
{"k": "b", "f": 40, "s": 92}
{"k": "b", "f": 52, "s": 110}
{"k": "b", "f": 92, "s": 190}
{"k": "b", "f": 98, "s": 200}
{"k": "b", "f": 108, "s": 226}
