CREATE TABLE a (id INT NOT NULL, k INT, s STRING) WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE b (k INT, s STRING) WITH ('connector' = 'kafka', 'topic' = 'b', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE u (k INT, s STRING, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'u', 'key.format' = 'json', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE VIEW c AS SELECT k, s FROM b WHERE k IS NOT NULL;

CREATE TABLE in_or (id INT, s STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'in_or', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE not_in_or (id INT, s STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'not_in_or', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE not_in_or_c (id INT, s STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'not_in_or_c', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE in_value (id INT, is_in BOOLEAN, is_not_in BOOLEAN, in_c BOOLEAN, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'in_value', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE in_words (id INT, word STRING, more BOOLEAN, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'in_words', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE not_both (id INT, s STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'not_both', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE in_case (id INT, s STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'in_case', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE any_or (id INT, s STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'any_or', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE in_updated (id INT, is_in BOOLEAN, has BOOLEAN, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'in_updated', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE of_updated (k INT, s STRING, is_in BOOLEAN, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'of_updated', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE many (k INT, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'many', 'key.format' = 'json', 'value.format' = 'json');

EXECUTE STATEMENT SET BEGIN
INSERT INTO in_or SELECT id, s FROM a WHERE k IN (SELECT k FROM b) OR s = 'y' ON CONFLICT DO DEDUPLICATE;
-- A null among the values of b: of no row is it known that it is not in there.
INSERT INTO not_in_or SELECT id, s FROM a WHERE k NOT IN (SELECT k FROM b) OR s = 'x' ON CONFLICT DO DEDUPLICATE;
INSERT INTO not_in_or_c SELECT id, s FROM a WHERE k NOT IN (SELECT k FROM c) OR s = 'x' ON CONFLICT DO DEDUPLICATE;
INSERT INTO in_value SELECT id, k IN (SELECT k FROM b), k NOT IN (SELECT k FROM b), k IN (SELECT k FROM c) FROM a ON CONFLICT DO DEDUPLICATE;
INSERT INTO in_words SELECT id, CASE WHEN k IN (SELECT k FROM b) THEN 'in' WHEN k NOT IN (SELECT k FROM c) THEN 'out' ELSE 'maybe' END, EXISTS (SELECT * FROM b WHERE k > 8) FROM a ON CONFLICT DO DEDUPLICATE;
INSERT INTO in_case SELECT id, s FROM a WHERE CASE WHEN k IN (SELECT k FROM b) THEN s = 'x' ELSE s <> 'y' END ON CONFLICT DO DEDUPLICATE;
INSERT INTO not_both SELECT id, s FROM a WHERE NOT (k IN (SELECT k FROM c) AND s IN (SELECT s FROM b)) ON CONFLICT DO DEDUPLICATE;
-- Of a query that reads nothing of the row around it.
INSERT INTO any_or SELECT id, s FROM a WHERE EXISTS (SELECT * FROM b WHERE k = 77) OR s = 'n' ON CONFLICT DO DEDUPLICATE;
-- Rows that are updated and deleted, on either side.
INSERT INTO in_updated SELECT id, k IN (SELECT k FROM u), s NOT IN (SELECT s FROM u WHERE s IS NOT NULL) FROM a ON CONFLICT DO DEDUPLICATE;
INSERT INTO of_updated SELECT k, s, s IN (SELECT s FROM a WHERE s IS NOT NULL) FROM u;
INSERT INTO many SELECT COALESCE(k, -1), COUNT(*) FROM a GROUP BY COALESCE(k, -1) HAVING COALESCE(k, -1) IN (SELECT k FROM c) OR COUNT(*) > 1;
END;

-- rows of a
{"id": 1, "k": 1, "s": "x"}
{"id": 2, "k": 1, "s": "x"}
{"id": 3, "k": 2, "s": "y"}
{"id": 4, "k": null, "s": "n"}
{"id": 5, "k": 3, "s": null}
{"id": 6, "k": 4, "s": "q"}
{"id": 7, "k": null, "s": "y"}

-- rows of b
{"k": 1, "s": "x"}
{"k": 1, "s": "x"}
{"k": 4, "s": "z"}
{"k": null, "s": "n"}
{"k": 2, "s": "z"}
{"k": 9, "s": "q"}

-- rows of u
{"k": 1, "s": "x"}
{"k": 2, "s": "n"}
{"k": 3, "s": "y"}
{"k": 2, "s": "q"}
- {"k": 3}
{"k": 5, "s": null}

-- answer of in_or
{"id": 1, "s": "x"}
{"id": 2, "s": "x"}
{"id": 3, "s": "y"}
{"id": 6, "s": "q"}
{"id": 7, "s": "y"}

-- answer of not_in_or
{"id": 1, "s": "x"}
{"id": 2, "s": "x"}

-- answer of not_in_or_c
{"id": 1, "s": "x"}
{"id": 2, "s": "x"}
{"id": 5, "s": null}

-- answer of in_value
{"id": 1, "is_in": true, "is_not_in": false, "in_c": true}
{"id": 2, "is_in": true, "is_not_in": false, "in_c": true}
{"id": 3, "is_in": true, "is_not_in": false, "in_c": true}
{"id": 4, "is_in": null, "is_not_in": null, "in_c": null}
{"id": 5, "is_in": null, "is_not_in": null, "in_c": false}
{"id": 6, "is_in": true, "is_not_in": false, "in_c": true}
{"id": 7, "is_in": null, "is_not_in": null, "in_c": null}

-- answer of in_words
{"id": 1, "word": "in", "more": true}
{"id": 2, "word": "in", "more": true}
{"id": 3, "word": "in", "more": true}
{"id": 4, "word": "maybe", "more": true}
{"id": 5, "word": "out", "more": true}
{"id": 6, "word": "in", "more": true}
{"id": 7, "word": "maybe", "more": true}

-- answer of in_case
{"id": 1, "s": "x"}
{"id": 2, "s": "x"}
{"id": 4, "s": "n"}

-- answer of not_both
{"id": 3, "s": "y"}
{"id": 5, "s": null}
{"id": 7, "s": "y"}

-- answer of any_or
{"id": 4, "s": "n"}

-- answer of in_updated
{"id": 1, "is_in": true, "has": false}
{"id": 2, "is_in": true, "has": false}
{"id": 3, "is_in": true, "has": true}
{"id": 4, "is_in": null, "has": true}
{"id": 5, "is_in": false, "has": null}
{"id": 6, "is_in": false, "has": false}
{"id": 7, "is_in": null, "has": true}

-- answer of of_updated
{"k": 1, "s": "x", "is_in": true}
{"k": 2, "s": "q", "is_in": true}
{"k": 5, "s": null, "is_in": null}

-- answer of many
{"k": -1, "n": 2}
{"k": 1, "n": 2}
{"k": 2, "n": 1}
{"k": 4, "n": 1}
