-- Aggregates over rows that are replaced and deleted: what is taken back leaves nothing behind.

CREATE TABLE u (id INT, g STRING, n INT, s STRING, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'u', 'key.format' = 'json', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE bags (g STRING, b MULTISET<STRING>, d MULTISET<STRING>, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'bags', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE sizes (g STRING, l INT, a INT, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'sizes', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE arrays (g STRING, a STRING, d STRING, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'arrays', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE objects (g STRING, o STRING, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'objects', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE deviations (g STRING, sp DOUBLE, vp DOUBLE, n BIGINT, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'deviations', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE percentiles (g STRING, m DOUBLE, a ARRAY<DOUBLE>, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'percentiles', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE bitmaps (g STRING, b STRING, x STRING, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'bitmaps', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE extremes (g STRING, l STRING, h STRING, n INT, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'extremes', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE single (id INT, s STRING, f STRING, l STRING, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'single', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE filtered (g STRING, n BIGINT, b MULTISET<STRING>, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'filtered', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE twice (b INT, n BIGINT, d DOUBLE, PRIMARY KEY (b) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'twice', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE all_of_it (n BIGINT, b MULTISET<STRING>, p DOUBLE, PRIMARY KEY (n) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'all_of_it', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE joined (g STRING, n BIGINT, b MULTISET<STRING>, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'joined', 'key.format' = 'json', 'value.format' = 'json');

INSERT INTO bags SELECT g, COLLECT(s), COLLECT(DISTINCT s) FROM u GROUP BY g;

-- The order in which changes come is that of commits: what is compared here is what does not depend on it.
INSERT INTO sizes SELECT g, CHAR_LENGTH(LISTAGG(s)), CARDINALITY(ARRAY_AGG(n)) FROM u GROUP BY g;

INSERT INTO arrays SELECT g, ARRAY_JOIN(ARRAY_SORT(ARRAY_AGG(s)), ','), ARRAY_JOIN(ARRAY_SORT(ARRAY_AGG(DISTINCT s)), ',') FROM u GROUP BY g;

INSERT INTO objects SELECT g, JSON_OBJECTAGG(KEY CAST(id AS STRING) VALUE s) FROM u GROUP BY g;

INSERT INTO deviations SELECT g, STDDEV_POP(CAST(n AS DOUBLE)), VAR_POP(CAST(n AS DOUBLE)), COUNT(*) FROM u GROUP BY g;

INSERT INTO percentiles SELECT g, PERCENTILE(n, 0.5), PERCENTILE(n, ARRAY[0.1, 1.0]) FROM u GROUP BY g;

INSERT INTO bitmaps SELECT g, BITMAP_TO_STRING(BITMAP_BUILD_AGG(n)), BITMAP_TO_STRING(BITMAP_XOR_AGG(BITMAP_BUILD(ARRAY[n]))) FROM u GROUP BY g;

INSERT INTO extremes SELECT g, MIN(s), MAX(s), SUM(DISTINCT n) FROM u GROUP BY g;

-- FIRST_VALUE and LAST_VALUE over what is replaced.
INSERT INTO single SELECT id, SINGLE_VALUE(s), FIRST_VALUE(s), LAST_VALUE(s) FROM u GROUP BY id;

INSERT INTO filtered SELECT g, COUNT(DISTINCT s) FILTER (WHERE n > 3), COLLECT(CAST(n AS STRING)) FILTER (WHERE n > 3) FROM u GROUP BY g;

-- An aggregate of an aggregate.
INSERT INTO twice SELECT CARDINALITY(a), COUNT(*), STDDEV_POP(CAST(CARDINALITY(a) AS DOUBLE)) FROM (SELECT g, ARRAY_AGG(s) AS a FROM u GROUP BY g) GROUP BY CARDINALITY(a);

INSERT INTO all_of_it SELECT COUNT(*), COLLECT(g), PERCENTILE(n, 0.5) FROM u;

-- A view of aggregates joined with its rows.
INSERT INTO joined SELECT u.g, COUNT(*), COLLECT(v.s) FROM u JOIN (SELECT g, MAX(s) AS s FROM u GROUP BY g) AS v ON u.g = v.g GROUP BY u.g;

-- rows of u
{"id": 1, "g": "a", "n": 3, "s": "x"}
{"id": 2, "g": "a", "n": 5, "s": "y"}
{"id": 3, "g": "b", "n": 5, "s": "x"}
{"id": 4, "g": "b", "n": 1, "s": "q"}
{"id": 1, "g": "b", "n": 4, "s": "z"}
{"id": 2, "g": "a", "n": 7, "s": "w"}
{"id": 5, "g": "a", "n": 7, "s": "w"}
{"id": 6, "g": "c", "n": 9, "s": "v"}
- {"id": 3}
{"id": 7, "g": "d", "n": 2, "s": "u"}
{"id": 7, "g": "e", "n": 2, "s": "u"}
- {"id": 7}
{"id": 6, "g": "c", "n": 8, "s": "v"}
{"id": 8, "g": "a", "n": 1, "s": "w"}
-- answer of bags
{"g": "c", "b": {"v": 1}, "d": {"v": 1}}
{"g": "a", "b": {"w": 3}, "d": {"w": 1}}
{"g": "b", "b": {"z": 1, "q": 1}, "d": {"z": 1, "q": 1}}
-- answer of sizes
{"g": "c", "l": 1, "a": 1}
{"g": "b", "l": 3, "a": 2}
{"g": "a", "l": 5, "a": 3}
-- answer of arrays
{"g": "b", "a": "q,z", "d": "q,z"}
{"g": "c", "a": "v", "d": "v"}
{"g": "a", "a": "w,w,w", "d": "w"}
-- answer of objects
{"g": "a", "o": "{\"2\":\"w\",\"5\":\"w\",\"8\":\"w\"}"}
{"g": "b", "o": "{\"1\":\"z\",\"4\":\"q\"}"}
{"g": "c", "o": "{\"6\":\"v\"}"}
-- answer of deviations
{"g": "a", "sp": 2.8284271247461903, "vp": 8.0, "n": 3}
{"g": "b", "sp": 1.5, "vp": 2.25, "n": 2}
{"g": "c", "sp": 0.0, "vp": 0.0, "n": 1}
-- answer of percentiles
{"g": "b", "m": 2.5, "a": [1.3000000000000003, 4.0]}
{"g": "a", "m": 7.0, "a": [2.1999999999999997, 7.0]}
{"g": "c", "m": 8.0, "a": [8.0, 8.0]}
-- answer of bitmaps
{"g": "b", "b": "{1,4}", "x": "{1,4}"}
{"g": "a", "b": "{1,7}", "x": "{1}"}
{"g": "c", "b": "{8}", "x": "{8}"}
-- answer of extremes
{"g": "a", "l": "w", "h": "w", "n": 8}
{"g": "b", "l": "q", "h": "z", "n": 5}
{"g": "c", "l": "v", "h": "v", "n": 8}
-- answer of single
{"id": 4, "s": "q", "f": "q", "l": "q"}
{"id": 6, "s": "v", "f": "v", "l": "v"}
{"id": 2, "s": "w", "f": "w", "l": "w"}
{"id": 5, "s": "w", "f": "w", "l": "w"}
{"id": 8, "s": "w", "f": "w", "l": "w"}
{"id": 1, "s": "z", "f": "z", "l": "z"}
-- answer of filtered
{"g": "b", "n": 1, "b": {"4": 1}}
{"g": "a", "n": 1, "b": {"7": 2}}
{"g": "c", "n": 1, "b": {"8": 1}}
-- answer of twice
{"b": 1, "n": 1, "d": 0.0}
{"b": 2, "n": 1, "d": 0.0}
{"b": 3, "n": 1, "d": 0.0}
-- answer of all_of_it
{"n": 6, "b": {"a": 3, "c": 1, "b": 2}, "p": 5.5}
-- answer of joined
{"g": "c", "n": 1, "b": {"v": 1}}
{"g": "a", "n": 3, "b": {"w": 3}}
{"g": "b", "n": 2, "b": {"z": 2}}
