CREATE TABLE clicks (who STRING, n INT) WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE taps (who STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'taps', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE people (who STRING, team STRING, PRIMARY KEY (who) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'people', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE both_ways (who STRING, n INT) WITH ('connector' = 'kafka', 'topic' = 'both_ways', 'format' = 'json');
CREATE TABLE clicked_more (who STRING, n INT, times BIGINT, PRIMARY KEY (who, n) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'clicked_more', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE of_teams (who STRING, times BIGINT, PRIMARY KEY (who) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'of_teams', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE more_teams (team STRING, times BIGINT, PRIMARY KEY (team) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'more_teams', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE of_three (who STRING, times BIGINT, PRIMARY KEY (who) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'of_three', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE unlike (who STRING, PRIMARY KEY (who) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'unlike', 'key.format' = 'json', 'value.format' = 'json');

EXECUTE STATEMENT SET BEGIN
-- Rows that only come, of an INT and a BIGINT, with nulls: as often as on both sides.
INSERT INTO both_ways SELECT who, n FROM clicks INTERSECT ALL SELECT who, n FROM taps;
INSERT INTO clicked_more SELECT COALESCE(who, '-'), COALESCE(n, -1), COUNT(*) FROM (SELECT who, n FROM clicks EXCEPT ALL SELECT who, n FROM taps)
GROUP BY COALESCE(who, '-'), COALESCE(n, -1);
-- Against rows that are updated and deleted, on either side.
INSERT INTO of_teams SELECT who, COUNT(*) FROM (SELECT who FROM clicks INTERSECT ALL SELECT team FROM people) GROUP BY who;
INSERT INTO more_teams SELECT team, COUNT(*) FROM (SELECT team FROM people EXCEPT ALL SELECT who FROM taps) GROUP BY team;
-- One behind the other, and in an inner query.
INSERT INTO of_three SELECT COALESCE(who, '-'), COUNT(*) FROM (
  SELECT who FROM clicks UNION ALL SELECT who FROM taps EXCEPT ALL (SELECT who FROM clicks INTERSECT ALL SELECT who FROM taps)
) GROUP BY COALESCE(who, '-');
INSERT INTO unlike SELECT who FROM people WHERE who IN (SELECT who FROM clicks EXCEPT ALL SELECT who FROM taps);
END;

-- rows of clicks
{"who": "ann", "n": 1}
{"who": "ann", "n": 1}
{"who": "bob", "n": 2}
{"who": null, "n": 3}
{"who": "ann", "n": 1}
{"who": "cat", "n": null}
{"who": null, "n": 3}
{"who": "bob", "n": 5}
{"who": "red", "n": 1}
{"who": "red", "n": 1}

-- rows of taps
{"who": "ann", "n": 1}
{"who": "ann", "n": 1}
{"who": "bob", "n": 4}
{"who": null, "n": 3}
{"who": "cat", "n": null}
{"who": "cat", "n": null}
{"who": "blue", "n": 9}

-- rows of people
{"who": "ann", "team": "red"}
{"who": "bob", "team": "red"}
{"who": "cat", "team": "blue"}
{"who": "dan", "team": "red"}
{"who": "bob", "team": "blue"}
- {"who": "dan"}

-- answer of both_ways
{"who": "ann", "n": 1}
{"who": "ann", "n": 1}
{"who": "cat", "n": null}
{"who": null, "n": 3}

-- answer of clicked_more
{"who": "-", "n": 3, "times": 1}
{"who": "ann", "n": 1, "times": 1}
{"who": "bob", "n": 2, "times": 1}
{"who": "bob", "n": 5, "times": 1}
{"who": "red", "n": 1, "times": 2}

-- answer of of_teams
{"who": "red", "times": 1}

-- answer of more_teams
{"team": "blue", "times": 1}
{"team": "red", "times": 1}

-- answer of of_three
{"who": "-", "times": 2}
{"who": "ann", "times": 3}
{"who": "blue", "times": 1}
{"who": "bob", "times": 2}
{"who": "cat", "times": 2}
{"who": "red", "times": 2}

-- answer of unlike
{"who": "ann"}
{"who": "bob"}
