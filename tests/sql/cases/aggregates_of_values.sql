-- Aggregates of values over rows that only come. The rows of a group are in one partition, so that their order is one.

CREATE TABLE t (k STRING, id INT, i INT, d DOUBLE, s STRING, f BOOLEAN)
WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE lists (k STRING, l STRING, sep STRING, d STRING, f STRING, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'lists', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE arrays (k STRING, a ARRAY<STRING>, d ARRAY<STRING>, v ARRAY<INT>, f ARRAY<INT>, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'arrays', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE bags (k STRING, b MULTISET<STRING>, d MULTISET<STRING>, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'bags', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE json_arrays (k STRING, a STRING, n STRING, d STRING, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'json_arrays', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE json_objects (k STRING, o STRING, a STRING, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'json_objects', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE json_nested (k STRING, j STRING, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'json_nested', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE deviations (k STRING, sp DOUBLE, ss DOUBLE, s DOUBLE, vp DOUBLE, vs DOUBLE, v DOUBLE, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'deviations', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE whole_deviations (k STRING, sp INT, ss INT, vp INT, vs INT, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'whole_deviations', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE distinct_deviations (k STRING, sp DOUBLE, vs DOUBLE, n BIGINT, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'distinct_deviations', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE percentiles (k STRING, m DOUBLE, q DOUBLE, a ARRAY<DOUBLE>, w DOUBLE, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'percentiles', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE bitmaps (k STRING, b STRING, n BIGINT, a STRING, o BIGINT, x STRING, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'bitmaps', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE picks (k STRING, f STRING, l STRING, b BOOLEAN, m BOOLEAN, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'picks', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE nested_picks (k STRING, a ARRAY<INT>, i INT, s STRING, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'nested_picks', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE single (k STRING, s STRING, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'single', 'key.format' = 'json', 'value.format' = 'json');

INSERT INTO lists SELECT k, LISTAGG(s), LISTAGG(s, ' - '), LISTAGG(DISTINCT s), LISTAGG(s) FILTER (WHERE i > 3) FROM t GROUP BY k;

-- An array has its nulls; one of nothing is NULL.
INSERT INTO arrays SELECT k, ARRAY_AGG(s), ARRAY_AGG(DISTINCT s), ARRAY_AGG(i IGNORE NULLS), ARRAY_AGG(i) FILTER (WHERE i > 100) FROM t GROUP BY k;

INSERT INTO bags SELECT k, COLLECT(s), COLLECT(DISTINCT s) FROM t GROUP BY k;

INSERT INTO json_arrays SELECT k, JSON_ARRAYAGG(s), JSON_ARRAYAGG(i NULL ON NULL), JSON_ARRAYAGG(d ABSENT ON NULL) FROM t GROUP BY k;

INSERT INTO json_objects SELECT k, JSON_OBJECTAGG(KEY CAST(id AS STRING) VALUE s), JSON_OBJECTAGG(CAST(id AS STRING) VALUE i ABSENT ON NULL) FROM t GROUP BY k;

-- What is JSON already stays it.
INSERT INTO json_nested SELECT k, JSON_ARRAYAGG(JSON_OBJECT(KEY 'i' VALUE i)) FROM t GROUP BY k;

INSERT INTO deviations SELECT k, STDDEV_POP(d), STDDEV_SAMP(d), STDDEV(d), VAR_POP(d), VAR_SAMP(d), VARIANCE(d) FROM t GROUP BY k;

-- Of whole numbers they are whole.
INSERT INTO whole_deviations SELECT k, STDDEV_POP(i), STDDEV_SAMP(i), VAR_POP(i), VAR_SAMP(i) FROM t GROUP BY k;

INSERT INTO distinct_deviations SELECT k, STDDEV_POP(DISTINCT d), VAR_SAMP(DISTINCT d), COUNT(DISTINCT d) FROM t GROUP BY k;

INSERT INTO percentiles SELECT k, PERCENTILE(i, 0.5), PERCENTILE(d, 0.25), PERCENTILE(i, ARRAY[0.0, 0.9]), PERCENTILE(i, 0.5, id) FROM t GROUP BY k;

INSERT INTO bitmaps SELECT k, BITMAP_TO_STRING(BITMAP_BUILD_AGG(i)), BITMAP_BUILD_CARDINALITY_AGG(i), BITMAP_TO_STRING(BITMAP_AND_AGG(BITMAP_BUILD(ARRAY[i, 1]))), BITMAP_OR_CARDINALITY_AGG(BITMAP_BUILD(ARRAY[i, id])), BITMAP_TO_STRING(BITMAP_XOR_AGG(BITMAP_BUILD(ARRAY[i]))) FROM t GROUP BY k;

INSERT INTO picks SELECT k, FIRST_VALUE(s), LAST_VALUE(s), LAST_VALUE(f), MIN(f) FROM t GROUP BY k;

-- FIRST_VALUE and LAST_VALUE are of any type.
INSERT INTO nested_picks SELECT k, LAST_VALUE(ARRAY[i, id]), LAST_VALUE(r).i, FIRST_VALUE(r).s FROM (SELECT k, i, id, CAST(ROW(id, s) AS ROW<i INT, s STRING>) AS r FROM t) GROUP BY k;

INSERT INTO single SELECT k, SINGLE_VALUE(s) FROM t WHERE id BETWEEN 7 AND 9 GROUP BY k;

-- rows of t
{"k": "a", "id": 1, "i": 3, "d": 1.5, "s": "x", "f": true}
{"k": "b", "id": 2, "i": -7, "d": -2.5, "s": "y", "f": false}
{"k": "c", "id": 3, "i": 1, "d": 0.1, "s": "only", "f": null}
{"k": "a", "id": 4, "i": 4, "d": 0.25, "s": "x", "f": null}
{"k": "b", "id": 5, "i": null, "d": null, "s": null, "f": null}
{"k": "c", "id": 6, "i": null, "d": null, "s": null, "f": null}
{"k": "a", "id": 7, "i": 4, "d": 4.0, "s": "z", "f": false}
{"k": "b", "id": 8, "i": 20, "d": 7.25, "s": "w", "f": true}
{"k": "c", "id": 9, "i": null, "d": null, "s": null, "f": null}
{"k": "a", "id": 10, "i": -2, "d": 1.5, "s": null, "f": true}
{"k": "b", "id": 11, "i": 20, "d": 7.25, "s": "y", "f": null}
{"k": "c", "id": 12, "i": 1, "d": 0.1, "s": "only", "f": null}
-- answer of lists
{"k": "c", "l": "only,only", "sep": "only - only", "d": "only", "f": null}
{"k": "a", "l": "x,x,z", "sep": "x - x - z", "d": "x,z", "f": "x,z"}
{"k": "b", "l": "y,w,y", "sep": "y - w - y", "d": "y,w", "f": "w,y"}
-- answer of arrays
{"k": "c", "a": ["only", null, null, "only"], "d": ["only", null], "v": [1, 1], "f": null}
{"k": "a", "a": ["x", "x", "z", null], "d": ["x", "z", null], "v": [3, 4, 4, -2], "f": null}
{"k": "b", "a": ["y", null, "w", "y"], "d": ["y", null, "w"], "v": [-7, 20, 20], "f": null}
-- answer of bags
{"k": "c", "b": {"only": 2}, "d": {"only": 1}}
{"k": "b", "b": {"w": 1, "y": 2}, "d": {"w": 1, "y": 1}}
{"k": "a", "b": {"x": 2, "z": 1}, "d": {"x": 1, "z": 1}}
-- answer of json_arrays
{"k": "c", "a": "[\"only\",\"only\"]", "n": "[1,null,null,1]", "d": "[0.1,0.1]"}
{"k": "a", "a": "[\"x\",\"x\",\"z\"]", "n": "[3,4,4,-2]", "d": "[1.5,0.25,4.0,1.5]"}
{"k": "b", "a": "[\"y\",\"w\",\"y\"]", "n": "[-7,null,20,20]", "d": "[-2.5,7.25,7.25]"}
-- answer of json_objects
{"k": "b", "o": "{\"11\":\"y\",\"2\":\"y\",\"5\":null,\"8\":\"w\"}", "a": "{\"11\":20,\"2\":-7,\"8\":20}"}
{"k": "c", "o": "{\"12\":\"only\",\"3\":\"only\",\"6\":null,\"9\":null}", "a": "{\"12\":1,\"3\":1}"}
{"k": "a", "o": "{\"1\":\"x\",\"10\":null,\"4\":\"x\",\"7\":\"z\"}", "a": "{\"1\":3,\"10\":-2,\"4\":4,\"7\":4}"}
-- answer of json_nested
{"k": "b", "j": "[{\"i\":-7},{\"i\":null},{\"i\":20},{\"i\":20}]"}
{"k": "c", "j": "[{\"i\":1},{\"i\":null},{\"i\":null},{\"i\":1}]"}
{"k": "a", "j": "[{\"i\":3},{\"i\":4},{\"i\":4},{\"i\":-2}]"}
-- answer of deviations
{"k": "a", "sp": 1.3621559198564603, "ss": 1.5728821740147394, "s": 1.5728821740147394, "vp": 1.8554687499999998, "vs": 2.473958333333333, "v": 2.473958333333333}
{"k": "b", "sp": 4.596194077712559, "ss": 5.629165124598851, "s": 5.629165124598851, "vp": 21.125, "vs": 31.6875, "v": 31.6875}
{"k": "c", "sp": 0.0, "ss": 0.0, "s": 0.0, "vp": 0.0, "vs": 0.0, "v": 0.0}
-- answer of whole_deviations
{"k": "a", "sp": 2, "ss": 2, "vp": 6, "vs": 8}
{"k": "b", "sp": 12, "ss": 15, "vp": 162, "vs": 243}
{"k": "c", "sp": 0, "ss": 0, "vp": 0, "vs": 0}
-- answer of distinct_deviations
{"k": "a", "sp": 1.5590239111558089, "vs": 3.645833333333333, "n": 3}
{"k": "b", "sp": 4.875, "vs": 47.53125, "n": 2}
{"k": "c", "sp": 0.0, "vs": null, "n": 1}
-- answer of percentiles
{"k": "a", "m": 3.5, "q": 1.1875, "a": [-2.0, 4.0], "w": 3.5}
{"k": "b", "m": 20.0, "q": 2.375, "a": [-7.0, 20.0], "w": 20.0}
{"k": "c", "m": 1.0, "q": 0.1, "a": [1.0, 1.0], "w": 1.0}
-- answer of bitmaps
{"k": "c", "b": "{1}", "n": 1, "a": "{1}", "o": 5, "x": "{}"}
{"k": "b", "b": "{20,4294967289}", "n": 2, "a": "{1}", "o": 6, "x": "{4294967289}"}
{"k": "a", "b": "{3,4,4294967294}", "n": 3, "a": "{1}", "o": 6, "x": "{3,4294967294}"}
-- answer of picks
{"k": "c", "f": "only", "l": "only", "b": null, "m": null}
{"k": "a", "f": "x", "l": "z", "b": true, "m": false}
{"k": "b", "f": "y", "l": "y", "b": true, "m": false}
-- answer of nested_picks
{"k": "a", "a": [-2, 10], "i": 10, "s": "x"}
{"k": "c", "a": [1, 12], "i": 12, "s": "only"}
{"k": "b", "a": [20, 11], "i": 11, "s": "y"}
-- answer of single
{"k": "a", "s": "z"}
{"k": "b", "s": "w"}
{"k": "c", "s": null}
