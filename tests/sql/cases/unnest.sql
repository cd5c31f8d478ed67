-- UNNEST: a row for each element of an array, a map or a multiset, beside the row that has it.

CREATE TABLE t (id INT, k STRING, tags ARRAY<STRING>, m MAP<STRING, INT>, r ARRAY<ROW<n INT, s STRING>>)
WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE u (id INT, tags ARRAY<STRING>, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'u', 'key.format' = 'json', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE VIEW tagged AS SELECT id, k, tag FROM t CROSS JOIN UNNEST(tags) AS x (tag);

CREATE TABLE crossed (id INT, tag STRING) WITH ('connector' = 'kafka', 'topic' = 'crossed', 'format' = 'json');
CREATE TABLE numbered (id INT, tag STRING, n INT) WITH ('connector' = 'kafka', 'topic' = 'numbered', 'format' = 'json');
CREATE TABLE kept (id INT, tag STRING) WITH ('connector' = 'kafka', 'topic' = 'kept', 'format' = 'json');
CREATE TABLE kept_numbered (id INT, tag STRING, n INT) WITH ('connector' = 'kafka', 'topic' = 'kept_numbered', 'format' = 'json');
CREATE TABLE by_comma (id INT, tag STRING) WITH ('connector' = 'kafka', 'topic' = 'by_comma', 'format' = 'json');
CREATE TABLE maps (id INT, mk STRING, mv INT) WITH ('connector' = 'kafka', 'topic' = 'maps', 'format' = 'json');
CREATE TABLE kept_maps (id INT, mk STRING, mv INT, n INT) WITH ('connector' = 'kafka', 'topic' = 'kept_maps', 'format' = 'json');
CREATE TABLE rows_of (id INT, n INT, s STRING) WITH ('connector' = 'kafka', 'topic' = 'rows_of', 'format' = 'json');
CREATE TABLE kept_rows (id INT, n INT, s STRING, o INT) WITH ('connector' = 'kafka', 'topic' = 'kept_rows', 'format' = 'json');
CREATE TABLE named (id INT, tag STRING) WITH ('connector' = 'kafka', 'topic' = 'named', 'format' = 'json');
CREATE TABLE twice (id INT, tag STRING, n INT) WITH ('connector' = 'kafka', 'topic' = 'twice', 'format' = 'json');
CREATE TABLE constants (id INT, c INT) WITH ('connector' = 'kafka', 'topic' = 'constants', 'format' = 'json');
CREATE TABLE computed (id INT, part STRING) WITH ('connector' = 'kafka', 'topic' = 'computed', 'format' = 'json');
CREATE TABLE with_array (id INT, tag STRING, tags ARRAY<STRING>) WITH ('connector' = 'kafka', 'topic' = 'with_array', 'format' = 'json');
CREATE TABLE counted (tag STRING, n BIGINT, ids MULTISET<STRING>, PRIMARY KEY (tag) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'counted', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE bags (n BIGINT, tag STRING, PRIMARY KEY (tag) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'bags', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE of_upserts (id INT, n INT, tag STRING, PRIMARY KEY (id, n) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'of_upserts', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE count_of_upserts (tag STRING, n BIGINT, PRIMARY KEY (tag) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'count_of_upserts', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE kept_of_upserts (id INT, n BIGINT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'kept_of_upserts', 'key.format' = 'json', 'value.format' = 'json');

INSERT INTO crossed SELECT id, tag FROM t CROSS JOIN UNNEST(tags) AS x (tag);

INSERT INTO numbered SELECT id, tag, n FROM t CROSS JOIN UNNEST(tags) WITH ORDINALITY AS x (tag, n);

INSERT INTO kept SELECT id, tag FROM t LEFT JOIN UNNEST(tags) AS x (tag) ON TRUE;

INSERT INTO kept_numbered SELECT id, tag, n FROM t LEFT JOIN UNNEST(tags) WITH ORDINALITY AS x (tag, n) ON TRUE;

INSERT INTO by_comma SELECT t.id, x.tag FROM t, UNNEST(t.tags) AS x (tag) WHERE x.tag <> 'x';

INSERT INTO maps SELECT id, mk, mv FROM t CROSS JOIN UNNEST(m) AS x (mk, mv);

INSERT INTO kept_maps SELECT id, mk, mv, n FROM t LEFT JOIN UNNEST(m) WITH ORDINALITY AS x (mk, mv, n) ON TRUE WHERE id IN (2, 3, 4, 5);

INSERT INTO rows_of SELECT id, x.n, x.s FROM t CROSS JOIN UNNEST(r) AS x (n, s);

INSERT INTO kept_rows SELECT id, n, s, o FROM t LEFT JOIN UNNEST(r) WITH ORDINALITY AS x (n, s, o) ON TRUE;

-- An element is called as its relation.
INSERT INTO named SELECT id, tag FROM t CROSS JOIN UNNEST(tags) AS tag;

INSERT INTO twice SELECT id, tag, n FROM t CROSS JOIN UNNEST(tags) AS x (tag) CROSS JOIN UNNEST(r) AS y (n, s);

INSERT INTO constants SELECT id, c FROM t CROSS JOIN UNNEST(ARRAY[10, 20]) AS x (c);

INSERT INTO computed SELECT id, part FROM t CROSS JOIN UNNEST(SPLIT(CONCAT(k, ';', k), ';')) AS x (part);

INSERT INTO with_array SELECT id, tag, tags FROM t CROSS JOIN UNNEST(tags) AS x (tag);

-- A view with elements, grouped.
INSERT INTO counted SELECT tag, COUNT(*), COLLECT(CAST(id AS STRING)) FROM tagged WHERE tag IS NOT NULL GROUP BY tag;

-- A multiset has a value as often as it is there.
INSERT INTO bags SELECT COUNT(*), tag FROM (SELECT k, COLLECT(tag) AS bag FROM tagged GROUP BY k) CROSS JOIN UNNEST(bag) AS x (tag) GROUP BY tag;

-- The elements of a row that is replaced go with it.
INSERT INTO of_upserts SELECT id, n, tag FROM u CROSS JOIN UNNEST(tags) WITH ORDINALITY AS x (tag, n);

INSERT INTO count_of_upserts SELECT tag, COUNT(*) FROM u CROSS JOIN UNNEST(tags) AS x (tag) GROUP BY tag;

INSERT INTO kept_of_upserts SELECT id, COUNT(tag) FROM u LEFT JOIN UNNEST(tags) AS x (tag) ON TRUE GROUP BY id;

-- rows of t
{"id": 1, "k": "a", "tags": ["x", "y", "x"], "m": {"p": 1, "q": 2}, "r": [{"n": 1, "s": "one"}, {"n": 2, "s": "two"}]}
{"id": 2, "k": "b", "tags": null, "m": null, "r": null}
{"id": 3, "k": "a", "tags": [], "m": {}, "r": []}
{"id": 4, "k": "b", "tags": [null, "z"], "m": {"p": null}, "r": [{"n": null, "s": "three"}]}
{"id": 5, "k": null, "tags": ["y"], "m": {"q": 7}, "r": [{"n": 1, "s": null}, {"n": 5, "s": "five"}]}
{"id": 6, "k": "c", "tags": ["x"], "m": {"p": 3, "q": 4, "z": 5}, "r": [{"n": 2, "s": "two"}]}

-- rows of u
{"id": 1, "tags": ["x", "y"]}
{"id": 2, "tags": ["x"]}
{"id": 1, "tags": ["y", "z", "z"]}
{"id": 3, "tags": ["q"]}
- {"id": 3}
{"id": 2, "tags": []}
{"id": 4, "tags": ["y", "y"]}
-- answer of crossed
{"id": 1, "tag": "x"}
{"id": 1, "tag": "x"}
{"id": 1, "tag": "y"}
{"id": 4, "tag": "z"}
{"id": 4, "tag": null}
{"id": 5, "tag": "y"}
{"id": 6, "tag": "x"}
-- answer of numbered
{"id": 1, "tag": "x", "n": 1}
{"id": 1, "tag": "y", "n": 2}
{"id": 1, "tag": "x", "n": 3}
{"id": 4, "tag": null, "n": 1}
{"id": 4, "tag": "z", "n": 2}
{"id": 5, "tag": "y", "n": 1}
{"id": 6, "tag": "x", "n": 1}
-- answer of kept
{"id": 1, "tag": "x"}
{"id": 1, "tag": "x"}
{"id": 1, "tag": "y"}
{"id": 2, "tag": null}
{"id": 3, "tag": null}
{"id": 4, "tag": "z"}
{"id": 4, "tag": null}
{"id": 5, "tag": "y"}
{"id": 6, "tag": "x"}
-- answer of kept_numbered
{"id": 1, "tag": "x", "n": 1}
{"id": 1, "tag": "y", "n": 2}
{"id": 1, "tag": "x", "n": 3}
{"id": 2, "tag": null, "n": null}
{"id": 3, "tag": null, "n": null}
{"id": 4, "tag": null, "n": 1}
{"id": 4, "tag": "z", "n": 2}
{"id": 5, "tag": "y", "n": 1}
{"id": 6, "tag": "x", "n": 1}
-- answer of by_comma
{"id": 1, "tag": "y"}
{"id": 4, "tag": "z"}
{"id": 5, "tag": "y"}
-- answer of maps
{"id": 1, "mk": "p", "mv": 1}
{"id": 1, "mk": "q", "mv": 2}
{"id": 4, "mk": "p", "mv": null}
{"id": 5, "mk": "q", "mv": 7}
{"id": 6, "mk": "p", "mv": 3}
{"id": 6, "mk": "q", "mv": 4}
{"id": 6, "mk": "z", "mv": 5}
-- answer of kept_maps
{"id": 2, "mk": null, "mv": null, "n": null}
{"id": 3, "mk": null, "mv": null, "n": null}
{"id": 4, "mk": "p", "mv": null, "n": 1}
{"id": 5, "mk": "q", "mv": 7, "n": 1}
-- answer of rows_of
{"id": 1, "n": 1, "s": "one"}
{"id": 1, "n": 2, "s": "two"}
{"id": 4, "n": null, "s": "three"}
{"id": 5, "n": 1, "s": null}
{"id": 5, "n": 5, "s": "five"}
{"id": 6, "n": 2, "s": "two"}
-- answer of kept_rows
{"id": 1, "n": 1, "s": "one", "o": 1}
{"id": 1, "n": 2, "s": "two", "o": 2}
{"id": 2, "n": null, "s": null, "o": null}
{"id": 3, "n": null, "s": null, "o": null}
{"id": 4, "n": null, "s": "three", "o": 1}
{"id": 5, "n": 1, "s": null, "o": 1}
{"id": 5, "n": 5, "s": "five", "o": 2}
{"id": 6, "n": 2, "s": "two", "o": 1}
-- answer of named
{"id": 1, "tag": "x"}
{"id": 1, "tag": "x"}
{"id": 1, "tag": "y"}
{"id": 4, "tag": "z"}
{"id": 4, "tag": null}
{"id": 5, "tag": "y"}
{"id": 6, "tag": "x"}
-- answer of twice
{"id": 1, "tag": "x", "n": 1}
{"id": 1, "tag": "x", "n": 1}
{"id": 1, "tag": "y", "n": 1}
{"id": 1, "tag": "x", "n": 2}
{"id": 1, "tag": "x", "n": 2}
{"id": 1, "tag": "y", "n": 2}
{"id": 4, "tag": "z", "n": null}
{"id": 4, "tag": null, "n": null}
{"id": 5, "tag": "y", "n": 1}
{"id": 5, "tag": "y", "n": 5}
{"id": 6, "tag": "x", "n": 2}
-- answer of constants
{"id": 1, "c": 10}
{"id": 2, "c": 10}
{"id": 3, "c": 10}
{"id": 4, "c": 10}
{"id": 5, "c": 10}
{"id": 6, "c": 10}
{"id": 1, "c": 20}
{"id": 2, "c": 20}
{"id": 3, "c": 20}
{"id": 4, "c": 20}
{"id": 5, "c": 20}
{"id": 6, "c": 20}
-- answer of computed
{"id": 1, "part": "a"}
{"id": 1, "part": "a"}
{"id": 2, "part": "b"}
{"id": 2, "part": "b"}
{"id": 3, "part": "a"}
{"id": 3, "part": "a"}
{"id": 4, "part": "b"}
{"id": 4, "part": "b"}
{"id": 6, "part": "c"}
{"id": 6, "part": "c"}
-- answer of with_array
{"id": 1, "tag": "x", "tags": ["x", "y", "x"]}
{"id": 1, "tag": "x", "tags": ["x", "y", "x"]}
{"id": 1, "tag": "y", "tags": ["x", "y", "x"]}
{"id": 4, "tag": "z", "tags": [null, "z"]}
{"id": 4, "tag": null, "tags": [null, "z"]}
{"id": 5, "tag": "y", "tags": ["y"]}
{"id": 6, "tag": "x", "tags": ["x"]}
-- answer of counted
{"tag": "y", "n": 2, "ids": {"1": 1, "5": 1}}
{"tag": "x", "n": 3, "ids": {"1": 2, "6": 1}}
{"tag": "z", "n": 1, "ids": {"4": 1}}
-- answer of bags
{"n": 1, "tag": "z"}
{"n": 2, "tag": "y"}
{"n": 3, "tag": "x"}
-- answer of of_upserts
{"id": 1, "n": 1, "tag": "y"}
{"id": 1, "n": 2, "tag": "z"}
{"id": 1, "n": 3, "tag": "z"}
{"id": 4, "n": 1, "tag": "y"}
{"id": 4, "n": 2, "tag": "y"}
-- answer of count_of_upserts
{"tag": "z", "n": 2}
{"tag": "y", "n": 3}
-- answer of kept_of_upserts
{"id": 1, "n": 3}
{"id": 2, "n": 0}
{"id": 4, "n": 2}
