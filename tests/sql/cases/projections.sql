CREATE TABLE t (k STRING, a INT, b INT, c AS a + b, s STRING, at TIMESTAMP_LTZ(3))
WITH ('connector' = 'kafka', 'topic' = 't', 'key.format' = 'raw', 'key.fields' = 'k', 'value.format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE o (k STRING, half INT, big BIGINT, s STRING, kind STRING, part STRING)
WITH ('connector' = 'kafka', 'topic' = 'o', 'format' = 'json');

CREATE TABLE seen (k STRING, kind STRING, PRIMARY KEY (k, kind) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'seen', 'key.format' = 'json', 'value.format' = 'json');

CREATE VIEW v (k, half, a, s, kind) AS
SELECT k, a / 2, a, UPPER(s), CASE WHEN a > 10 THEN 'large' WHEN a IS NULL THEN 'unknown' ELSE 'small' END FROM t;

INSERT INTO o SELECT k, half, a, s, kind, SUBSTRING(s, 1, 2) FROM v WHERE s LIKE 'A%' OR a IN (1, 2, 3) OR COALESCE(a, 7) = 7;
INSERT INTO seen SELECT DISTINCT k, kind FROM v;

-- rows of t
{"k":"x","a":7,"b":1,"s":"abc","at":"2024-01-01 00:00:00Z"}
{"k":"y","a":-7,"b":1,"s":"Äbc","at":"2024-01-01 00:00:00Z"}
{"k":"x","a":null,"b":1,"s":null,"at":null}
{"k":"z","a":12,"b":null,"s":"alpha","at":null}
{"k":"x","a":2,"b":null,"s":"","at":null}
{"k":"x","a":13,"b":null,"s":"x","at":null}
