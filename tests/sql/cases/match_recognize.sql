-- Patterns of every kind over the same rows, with every way to go on behind a match.
CREATE TABLE u (k STRING, n INT, v INT, w INT, ts AS TO_TIMESTAMP_LTZ(n * 1000, 3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'kafka', 'topic' = 'u', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE o0 (k STRING, a INT, b INT) WITH ('connector' = 'kafka', 'topic' = 'o0', 'format' = 'json');
INSERT INTO o0 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES A.n AS a, B.n AS b ONE ROW PER MATCH PATTERN (A B)  DEFINE B AS B.v > A.v) AS m;
CREATE TABLE o1 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o1', 'format' = 'json');
INSERT INTO o1 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+ C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o2 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o2', 'format' = 'json');
INSERT INTO o2 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o3 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o3', 'format' = 'json');
INSERT INTO o3 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+ C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o4 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o4', 'format' = 'json');
INSERT INTO o4 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o5 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o5', 'format' = 'json');
INSERT INTO o5 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO LAST B PATTERN (A B+ C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o6 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o6', 'format' = 'json');
INSERT INTO o6 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO LAST B PATTERN (A B+? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o7 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o7', 'format' = 'json');
INSERT INTO o7 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO FIRST B PATTERN (A B+ C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o8 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o8', 'format' = 'json');
INSERT INTO o8 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO FIRST B PATTERN (A B+? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o9 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o9', 'format' = 'json');
INSERT INTO o9 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO B PATTERN (A B+ C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o10 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o10', 'format' = 'json');
INSERT INTO o10 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO B PATTERN (A B+? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o11 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o11', 'format' = 'json');
INSERT INTO o11 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B* C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o12 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o12', 'format' = 'json');
INSERT INTO o12 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B* C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o13 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o13', 'format' = 'json');
INSERT INTO o13 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B*? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o14 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o14', 'format' = 'json');
INSERT INTO o14 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B*? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o15 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o15', 'format' = 'json');
INSERT INTO o15 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o16 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o16', 'format' = 'json');
INSERT INTO o16 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o17 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o17', 'format' = 'json');
INSERT INTO o17 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{2} C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o18 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o18', 'format' = 'json');
INSERT INTO o18 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B{2} C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o19 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o19', 'format' = 'json');
INSERT INTO o19 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{1,2} C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o20 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o20', 'format' = 'json');
INSERT INTO o20 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B{1,2} C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o21 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o21', 'format' = 'json');
INSERT INTO o21 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{1,2}? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o22 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o22', 'format' = 'json');
INSERT INTO o22 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B{1,2}? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o23 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o23', 'format' = 'json');
INSERT INTO o23 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{2,} C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o24 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o24', 'format' = 'json');
INSERT INTO o24 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B{2,} C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o25 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o25', 'format' = 'json');
INSERT INTO o25 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{2,}? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o26 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o26', 'format' = 'json');
INSERT INTO o26 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B{2,}? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o27 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o27', 'format' = 'json');
INSERT INTO o27 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{0,2} C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o28 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o28', 'format' = 'json');
INSERT INTO o28 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B{0,2} C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o29 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o29', 'format' = 'json');
INSERT INTO o29 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A+ B+ C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o30 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o30', 'format' = 'json');
INSERT INTO o30 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A+ B+ C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o31 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o31', 'format' = 'json');
INSERT INTO o31 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A+? B+? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o32 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o32', 'format' = 'json');
INSERT INTO o32 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A+? B+? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o33 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o33', 'format' = 'json');
INSERT INTO o33 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A* B+ C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o34 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o34', 'format' = 'json');
INSERT INTO o34 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A* B+ C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o35 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o35', 'format' = 'json');
INSERT INTO o35 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A{2,3} B C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o36 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o36', 'format' = 'json');
INSERT INTO o36 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A{2,3} B C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o37 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o37', 'format' = 'json');
INSERT INTO o37 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A{2,3}? B C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o38 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o38', 'format' = 'json');
INSERT INTO o38 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A{2,3}? B C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o39 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o39', 'format' = 'json');
INSERT INTO o39 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+?)  DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o40 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o40', 'format' = 'json');
INSERT INTO o40 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+?)  DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o41 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o41', 'format' = 'json');
INSERT INTO o41 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{2})  DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o42 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o42', 'format' = 'json');
INSERT INTO o42 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B{2})  DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o43 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o43', 'format' = 'json');
INSERT INTO o43 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B?)  DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o44 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o44', 'format' = 'json');
INSERT INTO o44 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B?)  DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o45 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o45', 'format' = 'json');
INSERT INTO o45 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{1,3}?)  DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o46 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o46', 'format' = 'json');
INSERT INTO o46 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B{1,3}?)  DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o47 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o47', 'format' = 'json');
INSERT INTO o47 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B*?)  DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o48 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o48', 'format' = 'json');
INSERT INTO o48 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B*?)  DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o49 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o49', 'format' = 'json');
INSERT INTO o49 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A? B? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o50 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o50', 'format' = 'json');
INSERT INTO o50 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A? B? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o51 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o51', 'format' = 'json');
INSERT INTO o51 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A{1,2} B{1,2} C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o52 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o52', 'format' = 'json');
INSERT INTO o52 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A{1,2} B{1,2} C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o53 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o53', 'format' = 'json');
INSERT INTO o53 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A{1,2}? B{1,2}? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o54 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o54', 'format' = 'json');
INSERT INTO o54 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A{1,2}? B{1,2}? C)  DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o55 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o55', 'format' = 'json');
INSERT INTO o55 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+ C) WITHIN INTERVAL '3' SECOND DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o56 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o56', 'format' = 'json');
INSERT INTO o56 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+? C) WITHIN INTERVAL '3' SECOND DEFINE A AS A.v > 2, C AS C.v > 4) AS m;
CREATE TABLE o57 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o57', 'format' = 'json');
INSERT INTO o57 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B* C) WITHIN INTERVAL '3' SECOND DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o58 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o58', 'format' = 'json');
INSERT INTO o58 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+ C) WITHIN INTERVAL '3' SECOND DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o59 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o59', 'format' = 'json');
INSERT INTO o59 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+? C) WITHIN INTERVAL '3' SECOND DEFINE A AS A.v > 2, C AS C.v > 4) AS m;
CREATE TABLE o60 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o60', 'format' = 'json');
INSERT INTO o60 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B* C) WITHIN INTERVAL '3' SECOND DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o61 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o61', 'format' = 'json');
INSERT INTO o61 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+ C) WITHIN INTERVAL '4' SECOND DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o62 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o62', 'format' = 'json');
INSERT INTO o62 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+? C) WITHIN INTERVAL '4' SECOND DEFINE A AS A.v > 2, C AS C.v > 4) AS m;
CREATE TABLE o63 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o63', 'format' = 'json');
INSERT INTO o63 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B* C) WITHIN INTERVAL '4' SECOND DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o64 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o64', 'format' = 'json');
INSERT INTO o64 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+ C) WITHIN INTERVAL '4' SECOND DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o65 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o65', 'format' = 'json');
INSERT INTO o65 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+? C) WITHIN INTERVAL '4' SECOND DEFINE A AS A.v > 2, C AS C.v > 4) AS m;
CREATE TABLE o66 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o66', 'format' = 'json');
INSERT INTO o66 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B* C) WITHIN INTERVAL '4' SECOND DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o67 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o67', 'format' = 'json');
INSERT INTO o67 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+ C) WITHIN INTERVAL '5.5' SECOND DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o68 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o68', 'format' = 'json');
INSERT INTO o68 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+? C) WITHIN INTERVAL '5.5' SECOND DEFINE A AS A.v > 2, C AS C.v > 4) AS m;
CREATE TABLE o69 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o69', 'format' = 'json');
INSERT INTO o69 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B* C) WITHIN INTERVAL '5.5' SECOND DEFINE A AS A.v > 2, B AS B.v < 7) AS m;
CREATE TABLE o70 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o70', 'format' = 'json');
INSERT INTO o70 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+ C) WITHIN INTERVAL '5.5' SECOND DEFINE A AS A.v > 2, B AS B.v < 7, C AS C.v > 4) AS m;
CREATE TABLE o71 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o71', 'format' = 'json');
INSERT INTO o71 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+? C) WITHIN INTERVAL '5.5' SECOND DEFINE A AS A.v > 2, C AS C.v > 4) AS m;
CREATE TABLE o72 (k STRING, f INT, l INT, b0 INT, b1 INT, cb BIGINT, rt TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'o72', 'format' = 'json');
INSERT INTO o72 SELECT * FROM u MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES FIRST(n) AS f, LAST(n) AS l, FIRST(B.n) AS b0, LAST(B.n) AS b1, COUNT(B.n) AS cb, MATCH_ROWTIME() AS rt ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B* C) WITHIN INTERVAL '5.5' SECOND DEFINE A AS A.v > 2, B AS B.v < 7) AS m;

-- rows of u
{"k": "a", "n": 1, "v": 2, "w": 3}
{"k": "b", "n": 2, "v": 1, "w": 0}
{"k": "a", "n": 3, "v": 0, "w": 1}
{"k": "a", "n": 4, "v": 6, "w": 3}
{"k": "a", "n": 5, "v": 1, "w": 3}
{"k": "a", "n": 6, "v": 9, "w": 0}
{"k": "b", "n": 7, "v": 9, "w": 0}
{"k": "a", "n": 8, "v": 6, "w": 0}
{"k": "b", "n": 9, "v": 0, "w": 1}
{"k": "a", "n": 10, "v": 2, "w": 0}
{"k": "a", "n": 11, "v": 8, "w": 1}
{"k": "a", "n": 12, "v": 9, "w": 1}
{"k": "a", "n": 13, "v": 8, "w": 0}
{"k": "a", "n": 14, "v": 9, "w": 1}
{"k": "a", "n": 15, "v": 8, "w": 3}
{"k": "b", "n": 16, "v": 7, "w": 3}
{"k": "a", "n": 17, "v": 3, "w": 1}
{"k": "b", "n": 18, "v": 3, "w": 0}
{"k": "a", "n": 19, "v": 8, "w": 3}
{"k": "b", "n": 20, "v": 7, "w": 2}
{"k": "b", "n": 21, "v": 1, "w": 0}
{"k": "a", "n": 22, "v": 2, "w": 2}
{"k": "a", "n": 23, "v": 7, "w": 3}
{"k": "a", "n": 24, "v": 1, "w": 2}
{"k": "a", "n": 25, "v": 5, "w": 3}
{"k": "a", "n": 26, "v": 7, "w": 0}
{"k": "b", "n": 27, "v": 4, "w": 3}
{"k": "b", "n": 28, "v": 1, "w": 0}
{"k": "b", "n": 29, "v": 4, "w": 3}
{"k": "a", "n": 30, "v": 6, "w": 2}
{"k": "a", "n": 31, "v": 7, "w": 2}
{"k": "a", "n": 32, "v": 1, "w": 3}
{"k": "a", "n": 33, "v": 4, "w": 1}
{"k": "b", "n": 34, "v": 6, "w": 3}
{"k": "b", "n": 35, "v": 7, "w": 0}
{"k": "a", "n": 36, "v": 6, "w": 2}
{"k": "b", "n": 37, "v": 6, "w": 2}
{"k": "b", "n": 38, "v": 5, "w": 3}
{"k": "b", "n": 39, "v": 2, "w": 0}
{"k": "a", "n": 40, "v": 3, "w": 1}
-- answer of o0
{"k": "a", "a": 3, "b": 4}
{"k": "a", "a": 5, "b": 6}
{"k": "b", "a": 2, "b": 7}
{"k": "a", "a": 10, "b": 11}
{"k": "a", "a": 11, "b": 12}
{"k": "a", "a": 13, "b": 14}
{"k": "b", "a": 9, "b": 16}
{"k": "a", "a": 17, "b": 19}
{"k": "b", "a": 18, "b": 20}
{"k": "a", "a": 22, "b": 23}
{"k": "a", "a": 24, "b": 25}
{"k": "a", "a": 25, "b": 26}
{"k": "b", "a": 21, "b": 27}
{"k": "b", "a": 28, "b": 29}
{"k": "a", "a": 30, "b": 31}
{"k": "a", "a": 32, "b": 33}
{"k": "b", "a": 29, "b": 34}
{"k": "b", "a": 34, "b": 35}
{"k": "a", "a": 33, "b": 36}
-- answer of o1
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 20, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
-- answer of o2
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 20, "l": 34, "b0": 21, "b1": 29, "cb": 4, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o3
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 20, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 27, "l": 35, "b0": 28, "b1": 34, "cb": 3, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
-- answer of o4
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 20, "l": 34, "b0": 21, "b1": 29, "cb": 4, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 27, "l": 34, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o5
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 20, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
-- answer of o6
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 20, "l": 34, "b0": 21, "b1": 29, "cb": 4, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o7
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 20, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 27, "l": 35, "b0": 28, "b1": 34, "cb": 3, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
-- answer of o8
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 20, "l": 34, "b0": 21, "b1": 29, "cb": 4, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 27, "l": 34, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o9
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 20, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
-- answer of o10
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 20, "l": 34, "b0": 21, "b1": 29, "cb": 4, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o11
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 30, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 27, "l": 35, "b0": 28, "b1": 34, "cb": 3, "rt": "1970-01-01 00:00:35"}
-- answer of o12
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 11, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 13, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 25, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "a", "f": 30, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 20, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 27, "l": 35, "b0": 28, "b1": 34, "cb": 3, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 34, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
-- answer of o13
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 30, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:30"}
{"k": "b", "f": 27, "l": 34, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:34"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 37, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:37"}
-- answer of o14
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 8, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:08"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 11, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 13, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 25, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 26, "l": 30, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 30, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 20, "l": 34, "b0": 21, "b1": 29, "cb": 4, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 27, "l": 34, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 29, "l": 34, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 34, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
{"k": "a", "f": 33, "l": 36, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 37, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 37, "l": 38, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:38"}
-- answer of o15
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 30, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:30"}
{"k": "b", "f": 29, "l": 34, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:34"}
{"k": "a", "f": 33, "l": 36, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 37, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:37"}
-- answer of o16
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 8, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:08"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 11, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 13, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 25, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 26, "l": 30, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 30, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 29, "l": 34, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 34, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 33, "l": 36, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 37, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 37, "l": 38, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:38"}
-- answer of o17
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 27, "l": 34, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:34"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
-- answer of o18
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 27, "l": 34, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:34"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
-- answer of o19
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
-- answer of o20
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
-- answer of o21
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 27, "l": 34, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o22
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 27, "l": 34, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o23
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 20, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
-- answer of o24
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 20, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 27, "l": 35, "b0": 28, "b1": 34, "cb": 3, "rt": "1970-01-01 00:00:35"}
-- answer of o25
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 20, "l": 34, "b0": 21, "b1": 29, "cb": 4, "rt": "1970-01-01 00:00:34"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
-- answer of o26
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 20, "l": 34, "b0": 21, "b1": 29, "cb": 4, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 27, "l": 34, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:34"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
-- answer of o27
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 30, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
-- answer of o28
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 11, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 13, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 25, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "a", "f": 30, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 34, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
-- answer of o29
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 12, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "b", "f": 18, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
-- answer of o30
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 11, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 12, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 13, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 14, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 15, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 17, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 16, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 18, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 20, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 27, "l": 35, "b0": 28, "b1": 34, "cb": 3, "rt": "1970-01-01 00:00:35"}
-- answer of o31
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 12, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 18, "l": 34, "b0": 21, "b1": 29, "cb": 4, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o32
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 11, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 12, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 13, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 14, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 17, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 25, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 18, "l": 34, "b0": 21, "b1": 29, "cb": 4, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 20, "l": 34, "b0": 21, "b1": 29, "cb": 4, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 27, "l": 34, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 30, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 34, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o33
{"k": "a", "f": 1, "l": 6, "b0": 1, "b1": 5, "cb": 4, "rt": "1970-01-01 00:00:06"}
{"k": "b", "f": 2, "l": 7, "b0": 2, "b1": 2, "cb": 1, "rt": "1970-01-01 00:00:07"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 9, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 12, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 24, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 18, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
-- answer of o34
{"k": "a", "f": 1, "l": 6, "b0": 1, "b1": 5, "cb": 4, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 3, "l": 6, "b0": 3, "b1": 5, "cb": 3, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 5, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "b", "f": 2, "l": 7, "b0": 2, "b1": 2, "cb": 1, "rt": "1970-01-01 00:00:07"}
{"k": "a", "f": 6, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 10, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "b", "f": 9, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 11, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 12, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 13, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 14, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 15, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 17, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 22, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 24, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 16, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 18, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 20, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 21, "l": 35, "b0": 21, "b1": 34, "cb": 5, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 27, "l": 35, "b0": 28, "b1": 34, "cb": 3, "rt": "1970-01-01 00:00:35"}
{"k": "b", "f": 28, "l": 35, "b0": 28, "b1": 34, "cb": 3, "rt": "1970-01-01 00:00:35"}
-- answer of o35
{"k": "a", "f": 6, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 15, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
-- answer of o36
{"k": "a", "f": 6, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 15, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 17, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
-- answer of o37
{"k": "a", "f": 6, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 13, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 25, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 29, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o38
{"k": "a", "f": 6, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 13, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 14, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 15, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 17, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 25, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 29, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
{"k": "b", "f": 34, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o39
{"k": "a", "f": 4, "l": 5, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:05"}
{"k": "a", "f": 6, "l": 8, "b0": 8, "b1": 8, "cb": 1, "rt": "1970-01-01 00:00:08"}
{"k": "b", "f": 7, "l": 9, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:09"}
{"k": "a", "f": 15, "l": 17, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:17"}
{"k": "b", "f": 16, "l": 18, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:18"}
{"k": "b", "f": 20, "l": 21, "b0": 21, "b1": 21, "cb": 1, "rt": "1970-01-01 00:00:21"}
{"k": "a", "f": 19, "l": 22, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:22"}
{"k": "a", "f": 23, "l": 24, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:24"}
{"k": "b", "f": 27, "l": 28, "b0": 28, "b1": 28, "cb": 1, "rt": "1970-01-01 00:00:28"}
{"k": "a", "f": 26, "l": 30, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 31, "l": 32, "b0": 32, "b1": 32, "cb": 1, "rt": "1970-01-01 00:00:32"}
{"k": "b", "f": 29, "l": 34, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:34"}
{"k": "a", "f": 33, "l": 36, "b0": 36, "b1": 36, "cb": 1, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 37, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 38, "l": 39, "b0": 39, "b1": 39, "cb": 1, "rt": "1970-01-01 00:00:39"}
-- answer of o40
{"k": "a", "f": 4, "l": 5, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:05"}
{"k": "a", "f": 6, "l": 8, "b0": 8, "b1": 8, "cb": 1, "rt": "1970-01-01 00:00:08"}
{"k": "b", "f": 7, "l": 9, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:09"}
{"k": "a", "f": 8, "l": 10, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:10"}
{"k": "a", "f": 15, "l": 17, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:17"}
{"k": "b", "f": 16, "l": 18, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:18"}
{"k": "b", "f": 20, "l": 21, "b0": 21, "b1": 21, "cb": 1, "rt": "1970-01-01 00:00:21"}
{"k": "a", "f": 19, "l": 22, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:22"}
{"k": "a", "f": 23, "l": 24, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:24"}
{"k": "b", "f": 27, "l": 28, "b0": 28, "b1": 28, "cb": 1, "rt": "1970-01-01 00:00:28"}
{"k": "a", "f": 26, "l": 30, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 31, "l": 32, "b0": 32, "b1": 32, "cb": 1, "rt": "1970-01-01 00:00:32"}
{"k": "b", "f": 29, "l": 34, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:34"}
{"k": "a", "f": 33, "l": 36, "b0": 36, "b1": 36, "cb": 1, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 37, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 37, "l": 38, "b0": 38, "b1": 38, "cb": 1, "rt": "1970-01-01 00:00:38"}
{"k": "b", "f": 38, "l": 39, "b0": 39, "b1": 39, "cb": 1, "rt": "1970-01-01 00:00:39"}
{"k": "a", "f": 36, "l": 40, "b0": 40, "b1": 40, "cb": 1, "rt": "1970-01-01 00:00:40"}
-- answer of o41
{"k": "a", "f": 6, "l": 10, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:10"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:25"}
{"k": "b", "f": 20, "l": 27, "b0": 21, "b1": 27, "cb": 2, "rt": "1970-01-01 00:00:27"}
{"k": "a", "f": 31, "l": 33, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:33"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 38, "cb": 2, "rt": "1970-01-01 00:00:38"}
-- answer of o42
{"k": "a", "f": 6, "l": 10, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:10"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:25"}
{"k": "b", "f": 20, "l": 27, "b0": 21, "b1": 27, "cb": 2, "rt": "1970-01-01 00:00:27"}
{"k": "b", "f": 27, "l": 29, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:29"}
{"k": "a", "f": 31, "l": 33, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:33"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 38, "cb": 2, "rt": "1970-01-01 00:00:38"}
{"k": "b", "f": 37, "l": 39, "b0": 38, "b1": 39, "cb": 2, "rt": "1970-01-01 00:00:39"}
{"k": "a", "f": 33, "l": 40, "b0": 36, "b1": 40, "cb": 2, "rt": "1970-01-01 00:00:40"}
-- answer of o43
{"k": "a", "f": 4, "l": 4, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:04"}
{"k": "a", "f": 6, "l": 6, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:06"}
{"k": "b", "f": 7, "l": 7, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:07"}
{"k": "a", "f": 8, "l": 8, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:08"}
{"k": "a", "f": 11, "l": 11, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 13, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 14, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 15, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 16, "l": 16, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 17, "l": 17, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:17"}
{"k": "b", "f": 18, "l": 18, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:18"}
{"k": "a", "f": 19, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 20, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 23, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 25, "l": 25, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 27, "l": 27, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:27"}
{"k": "b", "f": 29, "l": 29, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:29"}
{"k": "a", "f": 30, "l": 30, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 31, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "a", "f": 33, "l": 33, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:33"}
{"k": "b", "f": 34, "l": 34, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 35, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 36, "l": 36, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 37, "l": 37, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 38, "l": 38, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:38"}
{"k": "a", "f": 40, "l": 40, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:40"}
-- answer of o44
{"k": "a", "f": 4, "l": 4, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:04"}
{"k": "a", "f": 6, "l": 6, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:06"}
{"k": "b", "f": 7, "l": 7, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:07"}
{"k": "a", "f": 8, "l": 8, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:08"}
{"k": "a", "f": 11, "l": 11, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 13, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 14, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 15, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 16, "l": 16, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 17, "l": 17, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:17"}
{"k": "b", "f": 18, "l": 18, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:18"}
{"k": "a", "f": 19, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 20, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 23, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 25, "l": 25, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 27, "l": 27, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:27"}
{"k": "b", "f": 29, "l": 29, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:29"}
{"k": "a", "f": 30, "l": 30, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 31, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "a", "f": 33, "l": 33, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:33"}
{"k": "b", "f": 34, "l": 34, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 35, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 36, "l": 36, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 37, "l": 37, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 38, "l": 38, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:38"}
{"k": "a", "f": 40, "l": 40, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:40"}
-- answer of o45
{"k": "a", "f": 4, "l": 5, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:05"}
{"k": "a", "f": 6, "l": 8, "b0": 8, "b1": 8, "cb": 1, "rt": "1970-01-01 00:00:08"}
{"k": "b", "f": 7, "l": 9, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:09"}
{"k": "a", "f": 15, "l": 17, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:17"}
{"k": "b", "f": 16, "l": 18, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:18"}
{"k": "b", "f": 20, "l": 21, "b0": 21, "b1": 21, "cb": 1, "rt": "1970-01-01 00:00:21"}
{"k": "a", "f": 19, "l": 22, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:22"}
{"k": "a", "f": 23, "l": 24, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:24"}
{"k": "b", "f": 27, "l": 28, "b0": 28, "b1": 28, "cb": 1, "rt": "1970-01-01 00:00:28"}
{"k": "a", "f": 26, "l": 30, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 31, "l": 32, "b0": 32, "b1": 32, "cb": 1, "rt": "1970-01-01 00:00:32"}
{"k": "b", "f": 29, "l": 34, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:34"}
{"k": "a", "f": 33, "l": 36, "b0": 36, "b1": 36, "cb": 1, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 37, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 38, "l": 39, "b0": 39, "b1": 39, "cb": 1, "rt": "1970-01-01 00:00:39"}
-- answer of o46
{"k": "a", "f": 4, "l": 5, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:05"}
{"k": "a", "f": 6, "l": 8, "b0": 8, "b1": 8, "cb": 1, "rt": "1970-01-01 00:00:08"}
{"k": "b", "f": 7, "l": 9, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:09"}
{"k": "a", "f": 8, "l": 10, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:10"}
{"k": "a", "f": 15, "l": 17, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:17"}
{"k": "b", "f": 16, "l": 18, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:18"}
{"k": "b", "f": 20, "l": 21, "b0": 21, "b1": 21, "cb": 1, "rt": "1970-01-01 00:00:21"}
{"k": "a", "f": 19, "l": 22, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:22"}
{"k": "a", "f": 23, "l": 24, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:24"}
{"k": "b", "f": 27, "l": 28, "b0": 28, "b1": 28, "cb": 1, "rt": "1970-01-01 00:00:28"}
{"k": "a", "f": 26, "l": 30, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 31, "l": 32, "b0": 32, "b1": 32, "cb": 1, "rt": "1970-01-01 00:00:32"}
{"k": "b", "f": 29, "l": 34, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:34"}
{"k": "a", "f": 33, "l": 36, "b0": 36, "b1": 36, "cb": 1, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 35, "l": 37, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 37, "l": 38, "b0": 38, "b1": 38, "cb": 1, "rt": "1970-01-01 00:00:38"}
{"k": "b", "f": 38, "l": 39, "b0": 39, "b1": 39, "cb": 1, "rt": "1970-01-01 00:00:39"}
{"k": "a", "f": 36, "l": 40, "b0": 40, "b1": 40, "cb": 1, "rt": "1970-01-01 00:00:40"}
-- answer of o47
{"k": "a", "f": 4, "l": 4, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:04"}
{"k": "a", "f": 6, "l": 6, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:06"}
{"k": "b", "f": 7, "l": 7, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:07"}
{"k": "a", "f": 8, "l": 8, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:08"}
{"k": "a", "f": 11, "l": 11, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 13, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 14, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 15, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 16, "l": 16, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 17, "l": 17, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:17"}
{"k": "b", "f": 18, "l": 18, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:18"}
{"k": "a", "f": 19, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 20, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 23, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 25, "l": 25, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 27, "l": 27, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:27"}
{"k": "b", "f": 29, "l": 29, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:29"}
{"k": "a", "f": 30, "l": 30, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 31, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "a", "f": 33, "l": 33, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:33"}
{"k": "b", "f": 34, "l": 34, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 35, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 36, "l": 36, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 37, "l": 37, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 38, "l": 38, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:38"}
{"k": "a", "f": 40, "l": 40, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:40"}
-- answer of o48
{"k": "a", "f": 4, "l": 4, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:04"}
{"k": "a", "f": 6, "l": 6, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:06"}
{"k": "b", "f": 7, "l": 7, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:07"}
{"k": "a", "f": 8, "l": 8, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:08"}
{"k": "a", "f": 11, "l": 11, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 13, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 14, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 15, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 16, "l": 16, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 17, "l": 17, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:17"}
{"k": "b", "f": 18, "l": 18, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:18"}
{"k": "a", "f": 19, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 20, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 23, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 25, "l": 25, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "b", "f": 27, "l": 27, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:27"}
{"k": "b", "f": 29, "l": 29, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:29"}
{"k": "a", "f": 30, "l": 30, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 31, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "a", "f": 33, "l": 33, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:33"}
{"k": "b", "f": 34, "l": 34, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 35, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 36, "l": 36, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 37, "l": 37, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 38, "l": 38, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:38"}
{"k": "a", "f": 40, "l": 40, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:40"}
-- answer of o49
{"k": "a", "f": 3, "l": 4, "b0": 3, "b1": 3, "cb": 1, "rt": "1970-01-01 00:00:04"}
{"k": "a", "f": 5, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "b", "f": 2, "l": 7, "b0": 2, "b1": 2, "cb": 1, "rt": "1970-01-01 00:00:07"}
{"k": "a", "f": 8, "l": 8, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:08"}
{"k": "a", "f": 10, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 13, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 14, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 15, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 9, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 22, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 24, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 30, "l": 30, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 31, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 29, "l": 34, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 35, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 33, "l": 36, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 37, "l": 37, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 38, "l": 38, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:38"}
-- answer of o50
{"k": "a", "f": 3, "l": 4, "b0": 3, "b1": 3, "cb": 1, "rt": "1970-01-01 00:00:04"}
{"k": "a", "f": 4, "l": 4, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:04"}
{"k": "a", "f": 5, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 6, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:06"}
{"k": "b", "f": 2, "l": 7, "b0": 2, "b1": 2, "cb": 1, "rt": "1970-01-01 00:00:07"}
{"k": "b", "f": 7, "l": 7, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:07"}
{"k": "a", "f": 8, "l": 8, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:08"}
{"k": "a", "f": 10, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 11, "l": 11, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 13, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 14, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 15, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "b", "f": 9, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "b", "f": 16, "l": 16, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 19, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "b", "f": 20, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 22, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 23, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 24, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 25, "l": 25, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 30, "l": 30, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 31, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 29, "l": 34, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 34, "l": 34, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 35, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 33, "l": 36, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:36"}
{"k": "a", "f": 36, "l": 36, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 37, "l": 37, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 38, "l": 38, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:38"}
-- answer of o51
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 17, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
-- answer of o52
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 17, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
-- answer of o53
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 14, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 27, "l": 34, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o54
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "b", "f": 7, "l": 16, "b0": 9, "b1": 9, "cb": 1, "rt": "1970-01-01 00:00:16"}
{"k": "a", "f": 14, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 17, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 25, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 27, "l": 34, "b0": 28, "b1": 29, "cb": 2, "rt": "1970-01-01 00:00:34"}
{"k": "b", "f": 29, "l": 35, "b0": 34, "b1": 34, "cb": 1, "rt": "1970-01-01 00:00:35"}
{"k": "a", "f": 30, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 34, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o55
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
-- answer of o56
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 11, "l": 13, "b0": 12, "b1": 12, "cb": 1, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
-- answer of o57
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 11, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 13, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 25, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 30, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 34, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
-- answer of o58
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
-- answer of o59
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 11, "l": 13, "b0": 12, "b1": 12, "cb": 1, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 12, "l": 14, "b0": 13, "b1": 13, "cb": 1, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 13, "l": 15, "b0": 14, "b1": 14, "cb": 1, "rt": "1970-01-01 00:00:15"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
-- answer of o60
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 11, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 13, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 25, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 30, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 34, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
-- answer of o61
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
-- answer of o62
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 14, "b0": 13, "b1": 13, "cb": 1, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "b", "f": 34, "l": 37, "b0": 35, "b1": 35, "cb": 1, "rt": "1970-01-01 00:00:37"}
-- answer of o63
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 30, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 34, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
-- answer of o64
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
-- answer of o65
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 11, "l": 13, "b0": 12, "b1": 12, "cb": 1, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 12, "l": 14, "b0": 13, "b1": 13, "cb": 1, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 13, "l": 15, "b0": 14, "b1": 14, "cb": 1, "rt": "1970-01-01 00:00:15"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "b", "f": 34, "l": 37, "b0": 35, "b1": 35, "cb": 1, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o66
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 11, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 13, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 25, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 30, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 34, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
-- answer of o67
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
-- answer of o68
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 14, "b0": 13, "b1": 13, "cb": 1, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 34, "l": 37, "b0": 35, "b1": 35, "cb": 1, "rt": "1970-01-01 00:00:37"}
-- answer of o69
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 30, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 34, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
-- answer of o70
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
-- answer of o71
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 11, "l": 13, "b0": 12, "b1": 12, "cb": 1, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 12, "l": 14, "b0": 13, "b1": 13, "cb": 1, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 13, "l": 15, "b0": 14, "b1": 14, "cb": 1, "rt": "1970-01-01 00:00:15"}
{"k": "a", "f": 14, "l": 19, "b0": 15, "b1": 17, "cb": 2, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 25, "b0": 24, "b1": 24, "cb": 1, "rt": "1970-01-01 00:00:25"}
{"k": "a", "f": 25, "l": 30, "b0": 26, "b1": 26, "cb": 1, "rt": "1970-01-01 00:00:30"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "a", "f": 31, "l": 36, "b0": 32, "b1": 33, "cb": 2, "rt": "1970-01-01 00:00:36"}
{"k": "b", "f": 34, "l": 37, "b0": 35, "b1": 35, "cb": 1, "rt": "1970-01-01 00:00:37"}
{"k": "b", "f": 35, "l": 38, "b0": 37, "b1": 37, "cb": 1, "rt": "1970-01-01 00:00:38"}
-- answer of o72
{"k": "a", "f": 4, "l": 6, "b0": 5, "b1": 5, "cb": 1, "rt": "1970-01-01 00:00:06"}
{"k": "a", "f": 6, "l": 11, "b0": 8, "b1": 10, "cb": 2, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 8, "l": 11, "b0": 10, "b1": 10, "cb": 1, "rt": "1970-01-01 00:00:11"}
{"k": "a", "f": 11, "l": 12, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:12"}
{"k": "a", "f": 12, "l": 13, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:13"}
{"k": "a", "f": 13, "l": 14, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:14"}
{"k": "a", "f": 14, "l": 15, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:15"}
{"k": "a", "f": 15, "l": 19, "b0": 17, "b1": 17, "cb": 1, "rt": "1970-01-01 00:00:19"}
{"k": "a", "f": 17, "l": 19, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:19"}
{"k": "b", "f": 16, "l": 20, "b0": 18, "b1": 18, "cb": 1, "rt": "1970-01-01 00:00:20"}
{"k": "b", "f": 18, "l": 20, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:20"}
{"k": "a", "f": 19, "l": 23, "b0": 22, "b1": 22, "cb": 1, "rt": "1970-01-01 00:00:23"}
{"k": "a", "f": 23, "l": 26, "b0": 24, "b1": 25, "cb": 2, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 25, "l": 26, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:26"}
{"k": "a", "f": 26, "l": 31, "b0": 30, "b1": 30, "cb": 1, "rt": "1970-01-01 00:00:31"}
{"k": "a", "f": 30, "l": 31, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:31"}
{"k": "b", "f": 34, "l": 35, "b0": null, "b1": null, "cb": 0, "rt": "1970-01-01 00:00:35"}
