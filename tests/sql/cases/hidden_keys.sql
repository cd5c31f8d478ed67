CREATE TABLE u (id STRING, g STRING, v INT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'u', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE pairs (a STRING, b STRING, v INT, PRIMARY KEY (a, b) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'pairs', 'key.format' = 'json', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE names (g STRING, name STRING, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'names', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE counts (g STRING, n BIGINT, total INT, top INT, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'counts', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE several (g STRING, n BIGINT, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'several', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE all_of_it (what STRING, n BIGINT, total INT, PRIMARY KEY (what) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'all_of_it', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE distinct_g (g STRING, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'distinct_g', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE upper_g (g STRING, v INT, n BIGINT, PRIMARY KEY (g, v) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'upper_g', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE half (a STRING, n BIGINT, PRIMARY KEY (a) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'half', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE joined (name STRING, n BIGINT, PRIMARY KEY (name) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'joined', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE by_v (v INT, g STRING, PRIMARY KEY (v) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'by_v', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE by_id (id STRING, name STRING, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'by_id', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE by_id_and_g (id STRING, g STRING, v BIGINT, PRIMARY KEY (id, g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'by_id_and_g', 'key.format' = 'json', 'value.format' = 'json');

CREATE VIEW shown AS SELECT g, v FROM u WHERE v > 0;

EXECUTE STATEMENT SET BEGIN
INSERT INTO counts SELECT g, COUNT(*), SUM(v), MAX(v) FROM u GROUP BY g;
INSERT INTO several SELECT g, COUNT(*) FROM shown GROUP BY g HAVING COUNT(*) > 1;
INSERT INTO all_of_it SELECT 'all', COUNT(*), SUM(v) FROM u;
INSERT INTO distinct_g SELECT DISTINCT g FROM u;
INSERT INTO upper_g SELECT g, v, COUNT(*) FROM (SELECT UPPER(g) AS g, v FROM u) GROUP BY g, v;
INSERT INTO half SELECT a, COUNT(*) FROM pairs GROUP BY a;
-- On another column than the key, whose other side moves as well; by the names, and by the key of one side.
INSERT INTO joined SELECT n.name, COUNT(*) FROM shown AS s JOIN names AS n ON s.g = n.g GROUP BY n.name;
INSERT INTO by_id SELECT u.id, n.name FROM u JOIN names AS n ON u.g = n.g;
-- By a key that is not the query's: a row that moves leaves the key that it had.
INSERT INTO by_v SELECT v, g FROM u ON CONFLICT DO DEDUPLICATE;
INSERT INTO by_id_and_g SELECT id, g, v FROM u;
END;

-- rows of u
{"id": "1", "g": "x", "v": 1}
{"id": "2", "g": "x", "v": 2}
{"id": "3", "g": "y", "v": 3}
{"id": "4", "g": "y", "v": 4}
{"id": "2", "g": "y", "v": 5}
{"id": "5", "g": "z", "v": 6}
{"id": "6", "g": "x", "v": 7}
{"id": "4", "g": "x", "v": 8}
- {"id": "6"}
{"id": "1", "g": "z", "v": 9}
{"id": "1", "g": "x", "v": 10}

-- rows of pairs
{"a": "p", "b": "1", "v": 1}
{"a": "p", "b": "2", "v": 2}
{"a": "q", "b": "1", "v": 3}
{"a": "q", "b": "2", "v": 4}
{"a": "p", "b": "1", "v": 5}
- {"a": "q", "b": "2"}
{"a": "p", "b": "3", "v": 6}

-- rows of names
{"g": "x", "name": "cross"}
{"g": "y", "name": "fork"}
{"g": "z", "name": "fork"}
{"g": "x", "name": "kiss"}

-- answer of counts
{"g": "x", "n": 2, "total": 18, "top": 10}
{"g": "y", "n": 2, "total": 8, "top": 5}
{"g": "z", "n": 1, "total": 6, "top": 6}

-- answer of several
{"g": "x", "n": 2}
{"g": "y", "n": 2}

-- answer of all_of_it
{"what": "all", "n": 5, "total": 32}

-- answer of distinct_g
{"g": "x"}
{"g": "y"}
{"g": "z"}

-- answer of upper_g
{"g": "X", "v": 10, "n": 1}
{"g": "X", "v": 8, "n": 1}
{"g": "Y", "v": 3, "n": 1}
{"g": "Y", "v": 5, "n": 1}
{"g": "Z", "v": 6, "n": 1}

-- answer of half
{"a": "p", "n": 3}
{"a": "q", "n": 1}

-- answer of joined
{"name": "fork", "n": 3}
{"name": "kiss", "n": 2}

-- answer of by_id
{"id": "1", "name": "kiss"}
{"id": "2", "name": "fork"}
{"id": "3", "name": "fork"}
{"id": "4", "name": "kiss"}
{"id": "5", "name": "fork"}

-- answer of by_v
{"v": 10, "g": "x"}
{"v": 3, "g": "y"}
{"v": 5, "g": "y"}
{"v": 6, "g": "z"}
{"v": 8, "g": "x"}

-- answer of by_id_and_g
{"id": "1", "g": "x", "v": 10}
{"id": "2", "g": "y", "v": 5}
{"id": "3", "g": "y", "v": 3}
{"id": "4", "g": "x", "v": 8}
{"id": "5", "g": "z", "v": 6}
