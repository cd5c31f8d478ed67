CREATE TABLE u (id STRING, g STRING, v INT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'u', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE names (g STRING, name STRING, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'names', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE twice_named (id STRING, name STRING, other STRING, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'twice_named', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE with_count (id STRING, v INT, n BIGINT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'with_count', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE all_counts (g STRING, n BIGINT, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'all_counts', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE of_the_best (id STRING, g STRING, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'of_the_best', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE chained (id STRING, boss STRING, boss_of_boss STRING, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'chained', 'key.format' = 'json', 'value.format' = 'json');

CREATE VIEW named AS SELECT u.id, n.name, u.v FROM u JOIN names AS n ON u.g = n.g;
CREATE VIEW counts AS SELECT g, COUNT(*) AS n FROM u GROUP BY g;

EXECUTE STATEMENT SET BEGIN
-- What was joined with a table is joined with it again, by what the first join found.
INSERT INTO twice_named SELECT r.id, r.name, COALESCE(n.name, 'none') FROM named AS r LEFT JOIN names AS n ON r.name = n.g;
-- Rows with what their groups come to.
INSERT INTO with_count SELECT u.id, u.v, c.n FROM u JOIN counts AS c ON u.g = c.g;
INSERT INTO all_counts SELECT g, SUM(n) FROM (SELECT g, n FROM counts UNION ALL SELECT g, 1 FROM u UNION ALL SELECT id, n FROM (SELECT id, COUNT(*) AS n FROM u GROUP BY id)) GROUP BY g;
INSERT INTO of_the_best SELECT id, g FROM u WHERE g IN (SELECT g FROM counts WHERE n > 1);
-- By its own key, over another column, twice.
INSERT INTO chained SELECT a.id, b.id, c.id FROM u AS a JOIN u AS b ON a.g = b.id JOIN u AS c ON b.g = c.id;
END;

-- rows of u
{"id": "a", "g": "x", "v": 1}
{"id": "b", "g": "x", "v": 2}
{"id": "c", "g": "y", "v": 3}
{"id": "x", "g": "a", "v": 4}
{"id": "y", "g": "x", "v": 5}
{"id": "c", "g": "x", "v": 6}
{"id": "d", "g": "y", "v": 7}
{"id": "e", "g": "d", "v": 8}
- {"id": "b"}
{"id": "x", "g": "y", "v": 9}

-- rows of names
{"g": "x", "name": "y"}
{"g": "y", "name": "x"}
{"g": "a", "name": "nobody"}
{"g": "x", "name": "a"}
{"g": "d", "name": "q"}

-- answer of twice_named
{"id": "a", "name": "a", "other": "nobody"}
{"id": "c", "name": "a", "other": "nobody"}
{"id": "d", "name": "x", "other": "a"}
{"id": "e", "name": "q", "other": "none"}
{"id": "x", "name": "x", "other": "a"}
{"id": "y", "name": "a", "other": "nobody"}

-- answer of with_count
{"id": "a", "v": 1, "n": 3}
{"id": "c", "v": 6, "n": 3}
{"id": "d", "v": 7, "n": 2}
{"id": "e", "v": 8, "n": 1}
{"id": "x", "v": 9, "n": 2}
{"id": "y", "v": 5, "n": 3}

-- answer of all_counts
{"g": "a", "n": 1}
{"g": "c", "n": 1}
{"g": "d", "n": 3}
{"g": "e", "n": 1}
{"g": "x", "n": 7}
{"g": "y", "n": 5}

-- answer of of_the_best
{"id": "a", "g": "x"}
{"id": "c", "g": "x"}
{"id": "d", "g": "y"}
{"id": "x", "g": "y"}
{"id": "y", "g": "x"}

-- answer of chained
{"id": "a", "boss": "x", "boss_of_boss": "y"}
{"id": "c", "boss": "x", "boss_of_boss": "y"}
{"id": "d", "boss": "y", "boss_of_boss": "x"}
{"id": "e", "boss": "d", "boss_of_boss": "y"}
{"id": "x", "boss": "y", "boss_of_boss": "x"}
{"id": "y", "boss": "x", "boss_of_boss": "y"}
