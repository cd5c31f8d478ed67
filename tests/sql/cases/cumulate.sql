CREATE TABLE bids (auction STRING, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 'bids', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE growing (ws TIMESTAMP(3), we TIMESTAMP(3), n BIGINT, top INT) WITH ('connector' = 'kafka', 'topic' = 'growing', 'format' = 'json');
CREATE TABLE by_auction (auction STRING, ws TIMESTAMP(3), we TIMESTAMP(3), wt TIMESTAMP(3), n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'by_auction', 'format' = 'json');
CREATE TABLE shifted (ws TIMESTAMP(3), we TIMESTAMP(3), n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'shifted', 'format' = 'json');
CREATE TABLE tumbling (ws TIMESTAMP(3), we TIMESTAMP(3), n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'tumbling', 'format' = 'json');
CREATE TABLE hopping (ws TIMESTAMP(3), we TIMESTAMP(3), n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'hopping', 'format' = 'json');
CREATE TABLE latest (auction STRING, ws TIMESTAMP(3), we TIMESTAMP(3), n BIGINT, PRIMARY KEY (auction, ws, we) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'latest', 'key.format' = 'json', 'value.format' = 'json');

EXECUTE STATEMENT SET BEGIN
INSERT INTO growing
SELECT window_start, window_end, COUNT(*), MAX(price)
FROM TABLE(CUMULATE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECONDS, INTERVAL '30' SECONDS)) GROUP BY window_start, window_end;
-- Arguments by name, in another order.
INSERT INTO by_auction
SELECT auction, window_start, window_end, window_time, COUNT(*)
FROM TABLE(CUMULATE(DATA => TABLE bids, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '1' MINUTE, STEP => INTERVAL '20' SECONDS))
WHERE price > 1 GROUP BY auction, window_start, window_end, window_time;
-- Windows that begin at another moment.
INSERT INTO shifted
SELECT window_start, window_end, COUNT(*)
FROM TABLE(CUMULATE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECONDS, INTERVAL '30' SECONDS, INTERVAL '4' SECONDS)) GROUP BY window_start, window_end;
INSERT INTO tumbling
SELECT window_start, window_end, COUNT(*)
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECONDS, INTERVAL '-3' SECONDS)) GROUP BY window_start, window_end;
INSERT INTO hopping
SELECT window_start, window_end, COUNT(*)
FROM TABLE(HOP(DATA => TABLE bids, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '10' SECONDS, SIZE => INTERVAL '20' SECONDS)) GROUP BY window_start, window_end;
INSERT INTO latest
SELECT auction, window_start, window_end, COUNT(*)
FROM TABLE(CUMULATE(TABLE bids, DESCRIPTOR(ts), INTERVAL '15' SECONDS, INTERVAL '30' SECONDS)) GROUP BY auction, window_start, window_end;
END;

-- rows of bids
{"auction": "a", "price": 1, "ts": "2023-01-01 00:00:01"}
{"auction": "b", "price": 2, "ts": "2023-01-01 00:00:09.999"}
{"auction": "a", "price": 3, "ts": "2023-01-01 00:00:10"}
{"auction": "a", "price": 4, "ts": "2023-01-01 00:00:29"}
{"auction": "b", "price": 5, "ts": "2023-01-01 00:00:30"}
{"auction": "a", "price": 6, "ts": "2023-01-01 00:01:05"}
{"auction": "a", "price": 7, "ts": "2023-01-01 00:00:03"}

-- answer of growing
{"ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:00:10", "n": 3, "top": 7}
{"ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:00:20", "n": 4, "top": 7}
{"ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:00:30", "n": 5, "top": 7}
{"ws": "2023-01-01 00:00:30", "we": "2023-01-01 00:00:40", "n": 1, "top": 5}
{"ws": "2023-01-01 00:00:30", "we": "2023-01-01 00:00:50", "n": 1, "top": 5}
{"ws": "2023-01-01 00:00:30", "we": "2023-01-01 00:01:00", "n": 1, "top": 5}
{"ws": "2023-01-01 00:01:00", "we": "2023-01-01 00:01:10", "n": 1, "top": 6}
{"ws": "2023-01-01 00:01:00", "we": "2023-01-01 00:01:20", "n": 1, "top": 6}
{"ws": "2023-01-01 00:01:00", "we": "2023-01-01 00:01:30", "n": 1, "top": 6}

-- answer of by_auction
{"auction": "a", "ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:00:20", "wt": "2023-01-01 00:00:19.999", "n": 2}
{"auction": "a", "ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:00:40", "wt": "2023-01-01 00:00:39.999", "n": 3}
{"auction": "a", "ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:01:00", "wt": "2023-01-01 00:00:59.999", "n": 3}
{"auction": "a", "ws": "2023-01-01 00:01:00", "we": "2023-01-01 00:01:20", "wt": "2023-01-01 00:01:19.999", "n": 1}
{"auction": "a", "ws": "2023-01-01 00:01:00", "we": "2023-01-01 00:01:40", "wt": "2023-01-01 00:01:39.999", "n": 1}
{"auction": "a", "ws": "2023-01-01 00:01:00", "we": "2023-01-01 00:02:00", "wt": "2023-01-01 00:01:59.999", "n": 1}
{"auction": "b", "ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:00:20", "wt": "2023-01-01 00:00:19.999", "n": 1}
{"auction": "b", "ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:00:40", "wt": "2023-01-01 00:00:39.999", "n": 2}
{"auction": "b", "ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:01:00", "wt": "2023-01-01 00:00:59.999", "n": 2}

-- answer of shifted
{"ws": "2022-12-31 23:59:34", "we": "2023-01-01 00:00:04", "n": 2}
{"ws": "2023-01-01 00:00:04", "we": "2023-01-01 00:00:14", "n": 2}
{"ws": "2023-01-01 00:00:04", "we": "2023-01-01 00:00:24", "n": 2}
{"ws": "2023-01-01 00:00:04", "we": "2023-01-01 00:00:34", "n": 4}
{"ws": "2023-01-01 00:01:04", "we": "2023-01-01 00:01:14", "n": 1}
{"ws": "2023-01-01 00:01:04", "we": "2023-01-01 00:01:24", "n": 1}
{"ws": "2023-01-01 00:01:04", "we": "2023-01-01 00:01:34", "n": 1}

-- answer of tumbling
{"ws": "2022-12-31 23:59:57", "we": "2023-01-01 00:00:07", "n": 2}
{"ws": "2023-01-01 00:00:07", "we": "2023-01-01 00:00:17", "n": 2}
{"ws": "2023-01-01 00:00:27", "we": "2023-01-01 00:00:37", "n": 2}
{"ws": "2023-01-01 00:00:57", "we": "2023-01-01 00:01:07", "n": 1}

-- answer of hopping
{"ws": "2022-12-31 23:59:50", "we": "2023-01-01 00:00:10", "n": 3}
{"ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:00:20", "n": 4}
{"ws": "2023-01-01 00:00:10", "we": "2023-01-01 00:00:30", "n": 2}
{"ws": "2023-01-01 00:00:20", "we": "2023-01-01 00:00:40", "n": 2}
{"ws": "2023-01-01 00:00:30", "we": "2023-01-01 00:00:50", "n": 1}
{"ws": "2023-01-01 00:00:50", "we": "2023-01-01 00:01:10", "n": 1}
{"ws": "2023-01-01 00:01:00", "we": "2023-01-01 00:01:20", "n": 1}

-- answer of latest
{"auction": "a", "ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:00:15", "n": 3}
{"auction": "a", "ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:00:30", "n": 4}
{"auction": "a", "ws": "2023-01-01 00:01:00", "we": "2023-01-01 00:01:15", "n": 1}
{"auction": "a", "ws": "2023-01-01 00:01:00", "we": "2023-01-01 00:01:30", "n": 1}
{"auction": "b", "ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:00:15", "n": 1}
{"auction": "b", "ws": "2023-01-01 00:00:00", "we": "2023-01-01 00:00:30", "n": 1}
{"auction": "b", "ws": "2023-01-01 00:00:30", "we": "2023-01-01 00:00:45", "n": 1}
{"auction": "b", "ws": "2023-01-01 00:00:30", "we": "2023-01-01 00:01:00", "n": 1}
