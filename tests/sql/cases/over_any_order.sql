CREATE TABLE readings (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 'readings', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE prices (item STRING, kind STRING, price INT, PRIMARY KEY (item) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'prices', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE so_far (id INT, k STRING, total INT, n BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'so_far', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE by_rows (id INT, total INT, most INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'by_rows', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE of_two (id INT, total INT, least INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'of_two', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE ranks (id INT, a BIGINT, b BIGINT, c BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'ranks', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE of_groups (k STRING, n BIGINT, total BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'of_groups', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE of_prices (item STRING, kind STRING, price INT, total INT, one_before INT, PRIMARY KEY (item) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'of_prices', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE latest_first (id INT, total INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'latest_first', 'key.format' = 'json', 'value.format' = 'json');

EXECUTE STATEMENT SET BEGIN
-- Rows that only come, in the order of a column with equal values and nulls. Flink computes what follows in batch mode.
INSERT INTO so_far SELECT id, k, SUM(v) OVER w, COUNT(*) OVER w FROM readings WINDOW w AS (PARTITION BY k ORDER BY v) ON CONFLICT DO DEDUPLICATE;
INSERT INTO by_rows SELECT id, SUM(v) OVER w, MAX(v) OVER w FROM readings WINDOW w AS (PARTITION BY k ORDER BY v DESC, id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) ON CONFLICT DO DEDUPLICATE;
INSERT INTO of_two SELECT id, SUM(v) OVER w, MIN(v) OVER w FROM readings WINDOW w AS (PARTITION BY k ORDER BY id DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) ON CONFLICT DO DEDUPLICATE;
INSERT INTO ranks SELECT id, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v, id), RANK() OVER (PARTITION BY k ORDER BY v), DENSE_RANK() OVER (PARTITION BY k ORDER BY v) FROM readings ON CONFLICT DO DEDUPLICATE;
INSERT INTO latest_first SELECT id, SUM(v) OVER (ORDER BY ts DESC) FROM readings ON CONFLICT DO DEDUPLICATE;
-- Groups that are updated, and rows that are replaced and deleted.
INSERT INTO of_groups SELECT k, n, SUM(n) OVER (ORDER BY n, k) FROM (SELECT COALESCE(k, '-') AS k, COUNT(*) AS n FROM readings GROUP BY COALESCE(k, '-')) ON CONFLICT DO DEDUPLICATE;
INSERT INTO of_prices SELECT item, kind, price, SUM(price) OVER (PARTITION BY kind ORDER BY price), LAG(price) OVER (PARTITION BY kind ORDER BY price, item) FROM prices ON CONFLICT DO DEDUPLICATE;
END;

-- rows of readings
{"id": 1, "k": "a", "v": 10, "ts": "2023-01-01 00:00:01"}
{"id": 2, "k": "a", "v": 5, "ts": "2023-01-01 00:00:02"}
{"id": 3, "k": "b", "v": 7, "ts": "2023-01-01 00:00:03"}
{"id": 4, "k": "a", "v": 10, "ts": "2023-01-01 00:00:04"}
{"id": 5, "k": "a", "v": null, "ts": "2023-01-01 00:00:05"}
{"id": 6, "k": "b", "v": 1, "ts": "2023-01-01 00:00:06"}
{"id": 7, "k": "a", "v": 7, "ts": "2023-01-01 00:00:07"}
{"id": 8, "k": null, "v": 3, "ts": "2023-01-01 00:00:08"}

-- rows of prices
{"item": "tea", "kind": "x", "price": 5}
{"item": "rum", "kind": "x", "price": 9}
{"item": "ale", "kind": "y", "price": 2}
{"item": "gin", "kind": "x", "price": 7}
{"item": "tea", "kind": "x", "price": 8}
{"item": "oil", "kind": "y", "price": 1}
{"item": "ale", "kind": "x", "price": 7}
- {"item": "oil"}

-- answer of so_far
{"id": 1, "k": "a", "total": 32, "n": 5}
{"id": 2, "k": "a", "total": 5, "n": 2}
{"id": 3, "k": "b", "total": 8, "n": 2}
{"id": 4, "k": "a", "total": 32, "n": 5}
{"id": 5, "k": "a", "total": null, "n": 1}
{"id": 6, "k": "b", "total": 1, "n": 1}
{"id": 7, "k": "a", "total": 12, "n": 3}
{"id": 8, "k": null, "total": 3, "n": 1}

-- answer of by_rows
{"id": 1, "total": 10, "most": 10}
{"id": 2, "total": 32, "most": 10}
{"id": 3, "total": 7, "most": 7}
{"id": 4, "total": 20, "most": 10}
{"id": 5, "total": 32, "most": 10}
{"id": 6, "total": 8, "most": 7}
{"id": 7, "total": 27, "most": 10}
{"id": 8, "total": 3, "most": 3}

-- answer of of_two
{"id": 1, "total": 15, "least": 5}
{"id": 2, "total": 15, "least": 5}
{"id": 3, "total": 8, "least": 1}
{"id": 4, "total": 10, "least": 10}
{"id": 5, "total": 7, "least": 7}
{"id": 6, "total": 1, "least": 1}
{"id": 7, "total": 7, "least": 7}
{"id": 8, "total": 3, "least": 3}

-- answer of ranks
{"id": 1, "a": 4, "b": 4, "c": 4}
{"id": 2, "a": 2, "b": 2, "c": 2}
{"id": 3, "a": 2, "b": 2, "c": 2}
{"id": 4, "a": 5, "b": 4, "c": 4}
{"id": 5, "a": 1, "b": 1, "c": 1}
{"id": 6, "a": 1, "b": 1, "c": 1}
{"id": 7, "a": 3, "b": 3, "c": 3}
{"id": 8, "a": 1, "b": 1, "c": 1}

-- answer of latest_first
{"id": 1, "total": 43}
{"id": 2, "total": 33}
{"id": 3, "total": 28}
{"id": 4, "total": 21}
{"id": 5, "total": 11}
{"id": 6, "total": 11}
{"id": 7, "total": 10}
{"id": 8, "total": 3}

-- answer of of_groups
{"k": "-", "n": 1, "total": 1}
{"k": "a", "n": 5, "total": 8}
{"k": "b", "n": 2, "total": 3}

-- answer of of_prices
{"item": "ale", "kind": "x", "price": 7, "total": 14, "one_before": null}
{"item": "gin", "kind": "x", "price": 7, "total": 14, "one_before": 7}
{"item": "rum", "kind": "x", "price": 9, "total": 31, "one_before": 8}
{"item": "tea", "kind": "x", "price": 8, "total": 22, "one_before": 7}
