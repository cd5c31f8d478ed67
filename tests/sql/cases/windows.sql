CREATE TABLE bids (auction STRING, price BIGINT, at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '5' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'bids', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE tumbling (auction STRING, ws TIMESTAMP(3), we TIMESTAMP(3), n BIGINT, top BIGINT, mean BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'tumbling', 'format' = 'json');

CREATE TABLE hopping (auction STRING, ws TIMESTAMP(3), n BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'hopping', 'format' = 'json');

CREATE TABLE busiest (we TIMESTAMP(3), n BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'busiest', 'format' = 'json');

CREATE VIEW per_ten AS
SELECT auction, window_start AS ws, window_end AS we, window_time AS wt, COUNT(*) AS n, MAX(price) AS top, AVG(price) AS mean
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(at), INTERVAL '10' SECONDS))
GROUP BY auction, window_start, window_end, window_time;

EXECUTE STATEMENT SET BEGIN
INSERT INTO tumbling SELECT auction, ws, we, n, top, mean FROM per_ten WHERE n > 0;
INSERT INTO hopping
SELECT auction, window_start, COUNT(*)
FROM TABLE(HOP(TABLE bids, DESCRIPTOR(at), INTERVAL '5' SECONDS, INTERVAL '20' SECONDS))
WHERE price > 1
GROUP BY window_start, window_end, auction;
-- Windows over the results of windows.
INSERT INTO busiest
SELECT window_end, MAX(n)
FROM TABLE(TUMBLE(TABLE per_ten, DESCRIPTOR(wt), INTERVAL '20' SECONDS))
GROUP BY window_start, window_end;
END;

-- rows of bids
{"auction":"a","price":5,"at":"2023-01-01 00:00:01"}
{"auction":"b","price":1,"at":"2023-01-01 00:00:02.5"}
{"auction":"a","price":6,"at":"2023-01-01 00:00:09.999"}
{"auction":"a","price":7,"at":"2023-01-01 00:00:10"}
{"auction":"b","price":2,"at":"2023-01-01 00:00:08"}
{"auction":"c","price":3,"at":"2023-01-01 00:00:21"}
{"auction":"a","price":9,"at":"2023-01-01 00:00:19"}
{"auction":"b","price":4,"at":"2023-01-01 00:00:59"}
