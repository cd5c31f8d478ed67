CREATE TABLE t (k STRING, i INT, b BIGINT, d DOUBLE, m DECIMAL(10, 2), s STRING)
WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE o (k STRING, n BIGINT, ni BIGINT, si INT, sb BIGINT, sd DOUBLE, sm DECIMAL(38, 2), ai INT, ad DOUBLE, am DECIMAL(38, 6), lo INT, hi STRING, dn BIGINT, pos BIGINT, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'o', 'key.format' = 'json', 'value.format' = 'json');

CREATE TABLE twice (n BIGINT, groups BIGINT, total BIGINT, PRIMARY KEY (n) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'twice', 'key.format' = 'json', 'value.format' = 'json');

INSERT INTO o
SELECT COALESCE(k, '-'), COUNT(*), COUNT(i), SUM(i), SUM(b), SUM(d), SUM(m), AVG(i), AVG(d), AVG(m), MIN(i), MAX(s), COUNT(DISTINCT s),
       COUNT(*) FILTER (WHERE d > 0)
FROM t GROUP BY COALESCE(k, '-') HAVING COUNT(*) > 1;

-- An aggregate of an aggregate: its input updates and deletes.
INSERT INTO twice
SELECT n, COUNT(*), SUM(b) FROM (SELECT k, COUNT(*) AS n, SUM(b) AS b FROM t GROUP BY k) GROUP BY n;

-- rows of t
{"k":"a","i":3,"b":10,"d":1.5,"m":"1.10","s":"x"}
{"k":"b","i":-7,"b":20,"d":-2.5,"m":"2.25","s":"y"}
{"k":"a","i":4,"b":30,"d":0.25,"m":"3.05","s":"x"}
{"k":null,"i":1,"b":1,"d":1,"m":"0.01","s":"n"}
{"k":"b","i":null,"b":null,"d":null,"m":null,"s":null}
{"k":"c","i":1,"b":1,"d":1,"m":"1.00","s":"only once"}
{"k":"a","i":4,"b":-5,"d":4,"m":"0.00","s":"z"}
{"k":null,"i":2,"b":2,"d":2,"m":"0.02","s":"n"}
