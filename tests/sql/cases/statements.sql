CREATE TABLE t (k STRING, a INT, b INT, c AS a + b)
WITH ('connector' = 'kafka', 'topic' = 'nowhere', 'key.format' = 'raw', 'key.fields' = 'k', 'value.format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE u WITH ('topic' = 'u') LIKE t (EXCLUDING GENERATED);
CREATE TABLE o (k STRING, x INT) WITH ('connector' = 'kafka', 'topic' = 'o', 'format' = 'json');
CREATE TABLE p WITH ('topic' = 'nowhere') LIKE o;

CREATE VIEW v AS SELECT k, a + b AS s FROM t;

ALTER TABLE t SET ('topic' = 't');
INSERT INTO o SELECT k, s FROM v WHERE s > 0;

ALTER TABLE t DROP c;
ALTER TABLE t RENAME b TO b2;
ALTER TABLE t RENAME TO gone;
DROP TABLE gone;
INSERT INTO default_catalog.default_database.p /*+ OPTIONS('topic' = 'p') */ (x, k)
SELECT u.b, u.k FROM default_catalog.default_database.u WHERE u.b > 1;

CREATE TABLE q (n BIGINT, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'q', 'key.format' = 'json', 'value.format' = 'json')
AS SELECT k, COUNT(*) AS n FROM u GROUP BY k;

CREATE TABLE joined (k STRING, l INT, r INT) WITH ('connector' = 'kafka', 'topic' = 'joined', 'format' = 'json');
INSERT INTO joined SELECT /*+ STATE_TTL('x' = '2 d', 'y' = '0 s') */ x.k, x.a, y.b FROM u AS x JOIN u AS y ON x.k = y.k;

-- rows of t
{"k":"x","a":7,"b":1}
{"k":"y","a":-7,"b":1}
{"k":"x","a":null,"b":1}
{"k":"z","a":12,"b":2}

-- rows of u
{"k":"x","a":1,"b":1}
{"k":"y","a":2,"b":5}
{"k":"x","a":3,"b":4}
{"k":"z","a":null,"b":null}
