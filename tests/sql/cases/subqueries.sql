CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE u (id STRING, x INT)
WITH ('connector' = 'kafka', 'topic' = 'u', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE less (k STRING, v INT, x INT) WITH ('connector' = 'kafka', 'topic' = 'less', 'format' = 'json');
CREATE TABLE crossed (pairs BIGINT, PRIMARY KEY (pairs) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'crossed', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE left_less (k STRING, v INT, matches BIGINT, PRIMARY KEY (k, v) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'left_less', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE not_in (k STRING, v INT, n BIGINT, PRIMARY KEY (k, v) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'not_in', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE not_in_null (k STRING, v INT, n BIGINT, PRIMARY KEY (k, v) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'not_in_null', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE not_in_none (k STRING, v INT, n BIGINT, PRIMARY KEY (k, v) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'not_in_none', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE there_is (k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'there_is', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE greatest (k STRING, v INT, PRIMARY KEY (k, v) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'greatest', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE beside (k STRING, v INT, top INT, n BIGINT, mean INT, PRIMARY KEY (k, v) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'beside', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE of_key (k STRING, v INT, total INT, n BIGINT, PRIMARY KEY (k, v) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'of_key', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE above (k STRING, v INT, PRIMARY KEY (k, v) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'above', 'key.format' = 'json', 'value.format' = 'json');

INSERT INTO less SELECT t.k, t.v, u.x FROM t, u WHERE t.v < u.x AND u.x < 9;
INSERT INTO crossed SELECT COUNT(*) FROM t CROSS JOIN u;
INSERT INTO left_less SELECT COALESCE(t.k, '-'), COALESCE(t.v, 0), COUNT(u.x) FROM t LEFT JOIN u ON t.v < u.x GROUP BY COALESCE(t.k, '-'), COALESCE(t.v, 0);
INSERT INTO not_in SELECT COALESCE(k, '-'), v, COUNT(*) FROM t WHERE v > 0 AND k NOT IN (SELECT id FROM u WHERE id IS NOT NULL) GROUP BY COALESCE(k, '-'), v;
INSERT INTO not_in_null SELECT COALESCE(k, '-'), v, COUNT(*) FROM t WHERE v > 0 AND k NOT IN (SELECT id FROM u) GROUP BY COALESCE(k, '-'), v;
INSERT INTO not_in_none SELECT COALESCE(k, '-'), v, COUNT(*) FROM t WHERE v > 0 AND k NOT IN (SELECT id FROM u WHERE x > 100) GROUP BY COALESCE(k, '-'), v;
INSERT INTO there_is SELECT COALESCE(k, '-'), COUNT(*) FROM t WHERE EXISTS (SELECT * FROM u WHERE x > 8) GROUP BY COALESCE(k, '-');
INSERT INTO greatest SELECT DISTINCT COALESCE(k, '-'), v FROM t WHERE v = (SELECT MAX(v) FROM t);
INSERT INTO beside SELECT DISTINCT COALESCE(k, '-'), v, (SELECT MAX(x) FROM u), (SELECT COUNT(*) FROM u WHERE x > 2), (SELECT AVG(x) FROM u) FROM t WHERE v > 0 ON CONFLICT DO DEDUPLICATE;
INSERT INTO of_key SELECT DISTINCT COALESCE(k, '-'), v, (SELECT SUM(x) FROM u WHERE u.id = t.k), (SELECT COUNT(x) FROM u WHERE u.id = t.k AND x > 2) FROM t WHERE v > 0 ON CONFLICT DO DEDUPLICATE;
INSERT INTO above SELECT DISTINCT COALESCE(k, '-'), v FROM t WHERE v > (SELECT AVG(x) FROM u WHERE u.id = t.k);

-- rows of t
{"k":"a","v":1,"ts":"2025-03-01 10:00:01"}
{"k":"a","v":5,"ts":"2025-03-01 10:00:02"}
{"k":"b","v":5,"ts":"2025-03-01 10:00:03"}
{"k":null,"v":3,"ts":"2025-03-01 10:00:04"}
{"k":"c","v":null,"ts":"2025-03-01 10:00:05"}
{"k":"c","v":2,"ts":"2025-03-01 10:00:06"}
{"k":"a","v":5,"ts":"2025-03-01 10:00:07"}

-- rows of u
{"id":"a","x":2}
{"id":"a","x":4}
{"id":"b","x":9}
{"id":null,"x":7}
{"id":"d","x":null}

-- answer of less
{"k": "a", "v": 1, "x": 2}
{"k": "a", "v": 1, "x": 4}
{"k": "a", "v": 5, "x": 7}
{"k": "a", "v": 1, "x": 7}
{"k": "b", "v": 5, "x": 7}
{"k": null, "v": 3, "x": 7}
{"k": null, "v": 3, "x": 4}
{"k": "c", "v": 2, "x": 7}
{"k": "c", "v": 2, "x": 4}
{"k": "a", "v": 5, "x": 7}

-- answer of crossed
{"pairs": 35}

-- answer of left_less
{"k": "a", "v": 1, "matches": 4}
{"k": "b", "v": 5, "matches": 2}
{"k": "-", "v": 3, "matches": 3}
{"k": "c", "v": 0, "matches": 0}
{"k": "c", "v": 2, "matches": 3}
{"k": "a", "v": 5, "matches": 4}

-- answer of not_in
{"k": "c", "v": 2, "n": 1}

-- answer of not_in_null

-- answer of not_in_none
{"k": "a", "v": 1, "n": 1}
{"k": "b", "v": 5, "n": 1}
{"k": "-", "v": 3, "n": 1}
{"k": "c", "v": 2, "n": 1}
{"k": "a", "v": 5, "n": 2}

-- answer of there_is
{"k": "b", "n": 1}
{"k": "a", "n": 3}
{"k": "c", "n": 2}
{"k": "-", "n": 1}

-- answer of greatest
{"k": "b", "v": 5}
{"k": "a", "v": 5}

-- answer of of_key
{"k": "a", "v": 5, "total": 6, "n": 1}
{"k": "a", "v": 1, "total": 6, "n": 1}
{"k": "b", "v": 5, "total": 9, "n": 1}
{"k": "-", "v": 3, "total": null, "n": 0}
{"k": "c", "v": 2, "total": null, "n": 0}

-- answer of above
{"k": "a", "v": 5}
