CREATE TABLE clicks (who STRING, page STRING, n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE taps (who STRING, page STRING, n BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 'taps', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE people (who STRING, team STRING, PRIMARY KEY (who) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'people', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE together (who STRING, page STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'together', 'format' = 'json');
CREATE TABLE twice (who STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'twice', 'format' = 'json');
CREATE TABLE per_page (page STRING, n BIGINT, total BIGINT, PRIMARY KEY (page) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'per_page', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE whoever (who STRING, PRIMARY KEY (who) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'whoever', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE windows (ws TIMESTAMP(3), n BIGINT, total BIGINT) WITH ('connector' = 'kafka', 'topic' = 'windows', 'format' = 'json');
CREATE TABLE teams (team STRING, n BIGINT, PRIMARY KEY (team) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'teams', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE paged (who STRING, page STRING, team STRING) WITH ('connector' = 'kafka', 'topic' = 'paged', 'format' = 'json');
CREATE TABLE both_ways (who STRING, PRIMARY KEY (who) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'both_ways', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE only_clicked (who STRING, page STRING, PRIMARY KEY (who, page) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'only_clicked', 'key.format' = 'json', 'value.format' = 'json');

CREATE VIEW touches AS SELECT who, page, n, ts FROM clicks UNION ALL SELECT who, page, n, ts FROM taps;

EXECUTE STATEMENT SET BEGIN
-- Columns by their places, an INT and a BIGINT among them; a constant in one part.
INSERT INTO together
SELECT who, page, n FROM clicks WHERE n > 1 UNION ALL SELECT page, who, n FROM taps UNION ALL SELECT who, 'none', 0 FROM clicks;
-- A table with itself: every row is there twice.
INSERT INTO twice SELECT who, n FROM clicks UNION ALL SELECT who, n FROM clicks;
INSERT INTO per_page SELECT page, COUNT(*), SUM(n) FROM touches WHERE page IS NOT NULL GROUP BY page;
INSERT INTO whoever SELECT who FROM clicks WHERE who IS NOT NULL UNION SELECT who FROM taps UNION SELECT who FROM people;
-- The time of the parts is the time of the whole.
INSERT INTO windows
SELECT window_start, COUNT(*), SUM(n) FROM TABLE(TUMBLE(TABLE touches, DESCRIPTOR(ts), INTERVAL '10' SECONDS)) GROUP BY window_start, window_end;
-- Rows that are updated, and rows that only come; a key that both parts have.
INSERT INTO teams
SELECT team, COUNT(*) FROM (SELECT team FROM people UNION ALL SELECT page FROM clicks WHERE page IS NOT NULL UNION ALL SELECT team FROM people WHERE who <> 'ann') GROUP BY team;
INSERT INTO paged SELECT t.who, t.page, c.who FROM touches AS t JOIN clicks AS c ON t.page = c.page AND t.ts BETWEEN c.ts - INTERVAL '3' SECONDS AND c.ts;
INSERT INTO both_ways SELECT who FROM clicks WHERE who IS NOT NULL INTERSECT SELECT who FROM taps;
INSERT INTO only_clicked SELECT COALESCE(who, '-'), COALESCE(page, '-') FROM (SELECT who, page FROM clicks EXCEPT SELECT who, page FROM taps)
ON CONFLICT DO DEDUPLICATE;
END;

-- rows of clicks
{"who": "ann", "page": "a", "n": 1, "ts": "2023-01-01 00:00:01"}
{"who": "bob", "page": "b", "n": 2, "ts": "2023-01-01 00:00:12"}
{"who": null, "page": "a", "n": 3, "ts": "2023-01-01 00:00:03"}
{"who": "cat", "page": null, "n": 4, "ts": "2023-01-01 00:00:25"}
{"who": "ann", "page": "c", "n": null, "ts": "2023-01-01 00:00:14"}
{"who": "bob", "page": "b", "n": 2, "ts": "2023-01-01 00:00:12"}

-- rows of taps
{"who": "ann", "page": "a", "n": 10, "ts": "2023-01-01 00:00:02"}
{"who": "dan", "page": "b", "n": 20, "ts": "2023-01-01 00:00:11"}
{"who": "bob", "page": "d", "n": 30, "ts": "2023-01-01 00:00:31"}
{"who": "cat", "page": null, "n": 40, "ts": "2023-01-01 00:00:26"}

-- rows of people
{"who": "ann", "team": "a"}
{"who": "bob", "team": "b"}
{"who": "eve", "team": "red"}
{"who": "bob", "team": "red"}
{"who": "ann", "team": "red"}
- {"who": "eve"}

-- answer of together
{"who": "a", "page": "ann", "n": 10}
{"who": "ann", "page": "none", "n": 0}
{"who": "ann", "page": "none", "n": 0}
{"who": "b", "page": "dan", "n": 20}
{"who": "bob", "page": "b", "n": 2}
{"who": "bob", "page": "b", "n": 2}
{"who": "bob", "page": "none", "n": 0}
{"who": "bob", "page": "none", "n": 0}
{"who": "cat", "page": "none", "n": 0}
{"who": "cat", "page": null, "n": 4}
{"who": "d", "page": "bob", "n": 30}
{"who": null, "page": "a", "n": 3}
{"who": null, "page": "cat", "n": 40}
{"who": null, "page": "none", "n": 0}

-- answer of twice
{"who": "ann", "n": 1}
{"who": "ann", "n": 1}
{"who": "ann", "n": null}
{"who": "ann", "n": null}
{"who": "bob", "n": 2}
{"who": "bob", "n": 2}
{"who": "bob", "n": 2}
{"who": "bob", "n": 2}
{"who": "cat", "n": 4}
{"who": "cat", "n": 4}
{"who": null, "n": 3}
{"who": null, "n": 3}

-- answer of per_page
{"page": "a", "n": 3, "total": 14}
{"page": "b", "n": 3, "total": 24}
{"page": "c", "n": 1, "total": null}
{"page": "d", "n": 1, "total": 30}

-- answer of whoever
{"who": "ann"}
{"who": "bob"}
{"who": "cat"}
{"who": "dan"}

-- answer of windows
{"ws": "2023-01-01 00:00:00", "n": 3, "total": 14}
{"ws": "2023-01-01 00:00:10", "n": 4, "total": 24}
{"ws": "2023-01-01 00:00:20", "n": 2, "total": 44}
{"ws": "2023-01-01 00:00:30", "n": 1, "total": 30}

-- answer of teams
{"team": "a", "n": 2}
{"team": "b", "n": 2}
{"team": "c", "n": 1}
{"team": "red", "n": 3}

-- answer of paged
{"who": "ann", "page": "a", "team": "ann"}
{"who": "ann", "page": "a", "team": null}
{"who": "ann", "page": "a", "team": null}
{"who": "ann", "page": "c", "team": "ann"}
{"who": "bob", "page": "b", "team": "bob"}
{"who": "bob", "page": "b", "team": "bob"}
{"who": "bob", "page": "b", "team": "bob"}
{"who": "bob", "page": "b", "team": "bob"}
{"who": "dan", "page": "b", "team": "bob"}
{"who": "dan", "page": "b", "team": "bob"}
{"who": null, "page": "a", "team": null}

-- answer of both_ways
{"who": "ann"}
{"who": "bob"}
{"who": "cat"}

-- answer of only_clicked
{"who": "-", "page": "a"}
{"who": "ann", "page": "c"}
{"who": "bob", "page": "b"}
