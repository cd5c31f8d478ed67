CREATE TABLE bids (auction STRING, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'bids', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.max-future' = '30000 d', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE tumbled (auction STRING, n BIGINT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'tumbled', 'format' = 'json');
CREATE TABLE hopped (auction STRING, n BIGINT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'hopped', 'format' = 'json');
CREATE TABLE passed (auction STRING, price INT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'passed', 'format' = 'json');
CREATE TABLE firsts (auction STRING, price INT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'firsts', 'format' = 'json');
CREATE TABLE met (auction STRING, one INT, other INT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'met', 'format' = 'json');
CREATE TABLE first_hops (auction STRING, price INT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'first_hops', 'format' = 'json');
CREATE VIEW bid_windows AS SELECT * FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECONDS));
CREATE VIEW bid_hops AS SELECT * FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECONDS, INTERVAL '10' SECONDS));
INSERT INTO tumbled SELECT auction, COUNT(*), window_start FROM bid_windows GROUP BY auction, window_start, window_end;
INSERT INTO hopped SELECT auction, COUNT(*), window_start FROM bid_hops GROUP BY auction, window_start, window_end;
INSERT INTO passed SELECT auction, price, window_start FROM bid_windows;
INSERT INTO firsts SELECT auction, price, window_start FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, auction ORDER BY price DESC) AS rn FROM bid_windows) WHERE rn = 1;
INSERT INTO first_hops SELECT auction, price, window_start FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, auction ORDER BY price DESC) AS rn FROM bid_hops) WHERE rn = 1;
INSERT INTO met SELECT a.auction, a.price, b.price, a.window_start FROM bid_windows AS a JOIN bid_windows AS b ON a.auction = b.auction AND a.window_start = b.window_start AND a.window_end = b.window_end AND a.price < b.price;

-- rows of bids
{"auction":"a","price":5,"ts":"2025-03-01 10:00:01"}
{"auction":"a","price":3,"ts":"2025-03-01 10:00:09"}
{"auction":"b","price":1,"ts":"2025-03-01 10:00:12"}
{"auction":"a","price":7,"ts":"2025-03-01 10:00:08"}
{"auction":"a","price":4,"ts":"2025-03-01 10:00:15"}
{"auction":"a","price":9,"ts":"2025-03-01 10:00:07"}
{"auction":"b","price":2,"ts":"2025-03-01 10:00:13"}
{"auction":"b","price":8,"ts":"2025-03-01 10:00:31"}
{"auction":"b","price":6,"ts":"2025-03-01 10:00:14"}
{"auction":"b","price":5,"ts":"2025-03-01 10:00:22"}
{"auction":"a","price":2,"ts":"2025-03-01 10:00:28"}

-- late 11

-- answer of tumbled
{"auction": "a", "n": 3, "ws": "2025-03-01 10:00:00"}
{"auction": "a", "n": 1, "ws": "2025-03-01 10:00:10"}
{"auction": "b", "n": 2, "ws": "2025-03-01 10:00:10"}
{"auction": "b", "n": 1, "ws": "2025-03-01 10:00:20"}
{"auction": "a", "n": 1, "ws": "2025-03-01 10:00:20"}
{"auction": "b", "n": 1, "ws": "2025-03-01 10:00:30"}

-- answer of hopped
{"auction": "a", "n": 1, "ws": "2025-03-01 09:59:55"}
{"auction": "a", "n": 3, "ws": "2025-03-01 10:00:00"}
{"auction": "b", "n": 2, "ws": "2025-03-01 10:00:05"}
{"auction": "a", "n": 3, "ws": "2025-03-01 10:00:05"}
{"auction": "b", "n": 2, "ws": "2025-03-01 10:00:10"}
{"auction": "a", "n": 1, "ws": "2025-03-01 10:00:10"}
{"auction": "a", "n": 1, "ws": "2025-03-01 10:00:15"}
{"auction": "a", "n": 1, "ws": "2025-03-01 10:00:20"}
{"auction": "b", "n": 1, "ws": "2025-03-01 10:00:20"}
{"auction": "a", "n": 1, "ws": "2025-03-01 10:00:25"}
{"auction": "b", "n": 1, "ws": "2025-03-01 10:00:25"}
{"auction": "b", "n": 1, "ws": "2025-03-01 10:00:30"}

-- answer of passed
{"auction": "a", "price": 5, "ws": "2025-03-01 10:00:00"}
{"auction": "a", "price": 3, "ws": "2025-03-01 10:00:00"}
{"auction": "b", "price": 1, "ws": "2025-03-01 10:00:10"}
{"auction": "a", "price": 7, "ws": "2025-03-01 10:00:00"}
{"auction": "a", "price": 4, "ws": "2025-03-01 10:00:10"}
{"auction": "a", "price": 9, "ws": "2025-03-01 10:00:00"}
{"auction": "b", "price": 2, "ws": "2025-03-01 10:00:10"}
{"auction": "b", "price": 8, "ws": "2025-03-01 10:00:30"}
{"auction": "b", "price": 6, "ws": "2025-03-01 10:00:10"}
{"auction": "b", "price": 5, "ws": "2025-03-01 10:00:20"}
{"auction": "a", "price": 2, "ws": "2025-03-01 10:00:20"}

-- answer of firsts
{"auction": "a", "price": 7, "ws": "2025-03-01 10:00:00"}
{"auction": "a", "price": 4, "ws": "2025-03-01 10:00:10"}
{"auction": "b", "price": 2, "ws": "2025-03-01 10:00:10"}
{"auction": "b", "price": 5, "ws": "2025-03-01 10:00:20"}
{"auction": "a", "price": 2, "ws": "2025-03-01 10:00:20"}
{"auction": "b", "price": 8, "ws": "2025-03-01 10:00:30"}

-- answer of first_hops
{"auction": "a", "price": 5, "ws": "2025-03-01 09:59:55"}
{"auction": "a", "price": 7, "ws": "2025-03-01 10:00:00"}
{"auction": "b", "price": 2, "ws": "2025-03-01 10:00:05"}
{"auction": "a", "price": 9, "ws": "2025-03-01 10:00:05"}
{"auction": "a", "price": 4, "ws": "2025-03-01 10:00:10"}
{"auction": "b", "price": 2, "ws": "2025-03-01 10:00:10"}
{"auction": "a", "price": 4, "ws": "2025-03-01 10:00:15"}
{"auction": "b", "price": 5, "ws": "2025-03-01 10:00:20"}
{"auction": "a", "price": 2, "ws": "2025-03-01 10:00:20"}
{"auction": "a", "price": 2, "ws": "2025-03-01 10:00:25"}
{"auction": "b", "price": 8, "ws": "2025-03-01 10:00:25"}
{"auction": "b", "price": 8, "ws": "2025-03-01 10:00:30"}

-- answer of met
{"auction": "a", "one": 5, "other": 7, "ws": "2025-03-01 10:00:00"}
{"auction": "a", "one": 3, "other": 5, "ws": "2025-03-01 10:00:00"}
{"auction": "a", "one": 3, "other": 7, "ws": "2025-03-01 10:00:00"}
{"auction": "b", "one": 1, "other": 2, "ws": "2025-03-01 10:00:10"}
