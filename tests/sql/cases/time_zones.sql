-- Points in time by clocks that are put forward and back.
SET 'table.local-time-zone' = 'Europe/Berlin';
CREATE TABLE z (id INT, l TIMESTAMP_LTZ(3), t TIMESTAMP(3))
WITH ('connector' = 'kafka', 'topic' = 'z', 'format' = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE casts (id INT, a STRING, b TIMESTAMP(3), c STRING, d TIMESTAMP_LTZ(3), e STRING, f DATE, g STRING, h TIMESTAMP_LTZ(3), i STRING)
WITH ('connector' = 'kafka', 'topic' = 'casts', 'format' = 'json');
CREATE TABLE moved (id INT, a STRING, b STRING, c STRING, d STRING, e STRING)
WITH ('connector' = 'kafka', 'topic' = 'moved', 'format' = 'json');
CREATE TABLE parts (id INT, a BIGINT, b STRING, c STRING, d BIGINT, e BIGINT, f BOOLEAN, g BOOLEAN, h BOOLEAN)
WITH ('connector' = 'kafka', 'topic' = 'parts', 'format' = 'json');
CREATE TABLE epochs (id INT, a STRING, b STRING, c BIGINT, d BIGINT, e STRING)
WITH ('connector' = 'kafka', 'topic' = 'epochs', 'format' = 'json');

EXECUTE STATEMENT SET BEGIN
INSERT INTO casts SELECT id, CAST(l AS STRING), CAST(l AS TIMESTAMP(3)), CAST(CAST(t AS TIMESTAMP_LTZ(3)) AS STRING), CAST(t AS TIMESTAMP_LTZ(3)), DATE_FORMAT(l, 'yyyy-MM-dd HH:mm'), CAST(l AS DATE), CAST(CAST(l AS TIME) AS STRING), CAST(DATE '2024-07-01' AS TIMESTAMP_LTZ(3)), CAST(ROW(l, t) AS STRING) FROM z;
INSERT INTO moved SELECT id, CAST(l + INTERVAL '1' DAY AS STRING), CAST(l + INTERVAL '1' MONTH AS STRING), CAST(l - INTERVAL '2' HOUR AS STRING), CAST(TIMESTAMPADD(DAY, 1, l) AS STRING), CAST(TIMESTAMPADD(MONTH, 1, l) AS STRING) FROM z;
INSERT INTO parts SELECT id, EXTRACT(HOUR FROM l), CAST(FLOOR(l TO DAY) AS STRING), CAST(CEIL(l TO DAY) AS STRING), EXTRACT(EPOCH FROM l), EXTRACT(WEEK FROM l), l = t, l < t, l >= '2024-10-27 00:30:00' FROM z;
INSERT INTO epochs SELECT id, CAST(TO_TIMESTAMP_LTZ(id, 0) AS STRING), FROM_UNIXTIME(id), UNIX_TIMESTAMP('2024-03-31 03:30:00'), UNIX_TIMESTAMP(DATE_FORMAT(t, 'yyyy-MM-dd HH:mm:ss')), JSON_OBJECT('l' VALUE l) FROM z;
END;

-- rows of z
{"id":1,"l":"2024-03-31 00:30:00Z","t":"2024-03-31 02:30:00"}
{"id":2,"l":"2024-10-26 22:30:00Z","t":"2024-10-27 02:30:00"}
{"id":3,"l":"2024-10-27 01:30:00.123Z","t":"2024-01-31 02:30:00"}

-- answer of casts
{"id": 1, "a": "2024-03-31 01:30:00.000", "b": "2024-03-31 01:30:00", "c": "2024-03-31 03:30:00.000", "d": "2024-03-31 01:30:00Z", "e": "2024-03-31 01:30", "f": "2024-03-31", "g": "01:30:00", "h": "2024-06-30 22:00:00Z", "i": "(2024-03-31 01:30:00.000, 2024-03-31 02:30:00.000)"}
{"id": 2, "a": "2024-10-27 00:30:00.000", "b": "2024-10-27 00:30:00", "c": "2024-10-27 02:30:00.000", "d": "2024-10-27 00:30:00Z", "e": "2024-10-27 00:30", "f": "2024-10-27", "g": "00:30:00", "h": "2024-06-30 22:00:00Z", "i": "(2024-10-27 00:30:00.000, 2024-10-27 02:30:00.000)"}
{"id": 3, "a": "2024-10-27 02:30:00.123", "b": "2024-10-27 02:30:00.123", "c": "2024-01-31 02:30:00.000", "d": "2024-01-31 01:30:00Z", "e": "2024-10-27 02:30", "f": "2024-10-27", "g": "02:30:00", "h": "2024-06-30 22:00:00Z", "i": "(2024-10-27 02:30:00.123, 2024-01-31 02:30:00.000)"}

-- answer of moved
{"id": 1, "a": "2024-04-01 02:30:00.000", "b": "2024-04-30 02:30:00.000", "c": "2024-03-30 23:30:00.000", "d": "2024-04-01 02:30:00.000", "e": "2024-04-30 02:30:00.000"}
{"id": 2, "a": "2024-10-27 23:30:00.000", "b": "2024-11-26 23:30:00.000", "c": "2024-10-26 22:30:00.000", "d": "2024-10-27 23:30:00.000", "e": "2024-11-26 23:30:00.000"}
{"id": 3, "a": "2024-10-28 02:30:00.123", "b": "2024-11-27 02:30:00.123", "c": "2024-10-27 01:30:00.123", "d": "2024-10-28 02:30:00.123", "e": "2024-11-27 02:30:00.123"}

-- answer of parts
{"id": 1, "a": 1, "b": "2024-03-31 00:00:00.000", "c": "2024-04-01 01:00:00.000", "d": 1711848600, "e": 13, "f": false, "g": true, "h": false}
{"id": 2, "a": 0, "b": "2024-10-27 00:00:00.000", "c": "2024-10-27 23:00:00.000", "d": 1729989000, "e": 43, "f": false, "g": true, "h": true}
{"id": 3, "a": 2, "b": "2024-10-27 01:00:00.000", "c": "2024-10-28 00:00:00.000", "d": 1729996200, "e": 43, "f": false, "g": false, "h": true}

-- answer of epochs
{"id": 1, "a": "1970-01-01 01:00:01.000", "b": "1970-01-01 01:00:01", "c": 1711848600, "d": 1711848600, "e": "{\"l\":\"2024-03-31T00:30:00Z\"}"}
{"id": 2, "a": "1970-01-01 01:00:02.000", "b": "1970-01-01 01:00:02", "c": 1711848600, "d": 1729992600, "e": "{\"l\":\"2024-10-26T22:30:00Z\"}"}
{"id": 3, "a": "1970-01-01 01:00:03.000", "b": "1970-01-01 01:00:03", "c": 1711848600, "d": 1706664600, "e": "{\"l\":\"2024-10-27T01:30:00.123Z\"}"}
