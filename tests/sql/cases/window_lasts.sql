-- Of rows of one time the one that came last is the last.
CREATE TABLE bids (auction STRING, bidder STRING, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 'bids', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE lasts (auction STRING, bidder STRING, price INT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'lasts', 'format' = 'json');
CREATE TABLE lasts_of_hops (auction STRING, bidder STRING, price INT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'lasts_of_hops', 'format' = 'json');
CREATE VIEW bid_windows AS SELECT * FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECONDS));
CREATE VIEW bid_hops AS SELECT * FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECONDS, INTERVAL '20' SECONDS));
INSERT INTO lasts SELECT auction, bidder, price, window_start FROM
(SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, auction ORDER BY ts DESC) AS rn FROM bid_windows) WHERE rn = 1;
INSERT INTO lasts_of_hops SELECT auction, bidder, price, window_start FROM
(SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, auction ORDER BY ts DESC) AS rn FROM bid_hops) WHERE rn <= 1;

-- rows of bids
{"auction":"a","bidder":"ann","price":5,"ts":"2025-03-01 10:00:01"}
{"auction":"a","bidder":"bob","price":3,"ts":"2025-03-01 10:00:09.999"}
{"auction":"b","bidder":"ann","price":1,"ts":"2025-03-01 10:00:02"}
{"auction":"a","bidder":"cid","price":7,"ts":"2025-03-01 10:00:10"}
{"auction":"a","bidder":"dan","price":5,"ts":"2025-03-01 10:00:09.999"}
{"auction":null,"bidder":"dan","price":9,"ts":"2025-03-01 10:00:03"}
{"auction":"c","bidder":"bob","price":4,"ts":"2025-03-01 10:00:22"}
{"auction":"b","bidder":"eva","price":6,"ts":"2025-03-01 10:00:05"}
{"auction":"a","bidder":"fay","price":5,"ts":"2025-03-01 10:00:01"}

-- late 0

-- answer of lasts
{"auction": "a", "bidder": "dan", "price": 5, "ws": "2025-03-01 10:00:00"}
{"auction": "b", "bidder": "eva", "price": 6, "ws": "2025-03-01 10:00:00"}
{"auction": null, "bidder": "dan", "price": 9, "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "cid", "price": 7, "ws": "2025-03-01 10:00:10"}
{"auction": "c", "bidder": "bob", "price": 4, "ws": "2025-03-01 10:00:20"}

-- answer of lasts_of_hops
{"auction": "a", "bidder": "dan", "price": 5, "ws": "2025-03-01 09:59:50"}
{"auction": "b", "bidder": "eva", "price": 6, "ws": "2025-03-01 09:59:50"}
{"auction": null, "bidder": "dan", "price": 9, "ws": "2025-03-01 09:59:50"}
{"auction": "b", "bidder": "eva", "price": 6, "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "cid", "price": 7, "ws": "2025-03-01 10:00:00"}
{"auction": null, "bidder": "dan", "price": 9, "ws": "2025-03-01 10:00:00"}
{"auction": "c", "bidder": "bob", "price": 4, "ws": "2025-03-01 10:00:10"}
{"auction": "a", "bidder": "cid", "price": 7, "ws": "2025-03-01 10:00:10"}
{"auction": "c", "bidder": "bob", "price": 4, "ws": "2025-03-01 10:00:20"}
