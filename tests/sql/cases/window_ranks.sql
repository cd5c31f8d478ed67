CREATE TABLE bids (auction STRING, bidder STRING, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 'bids', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE top2 (rn BIGINT, auction STRING, bidder STRING, price INT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'top2', 'format' = 'json');
CREATE TABLE best (auction STRING, bidder STRING, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'best', 'format' = 'json');
CREATE TABLE ranked (auction STRING, n BIGINT, rn BIGINT, ws TIMESTAMP(3), we TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'ranked', 'format' = 'json');
CREATE TABLE second (auction STRING, bidder STRING, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'second', 'format' = 'json');
CREATE TABLE firsts (auction STRING, bidder STRING, price INT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'firsts', 'format' = 'json');
CREATE TABLE counted (ws TIMESTAMP(3), n BIGINT, spent INT) WITH ('connector' = 'kafka', 'topic' = 'counted', 'format' = 'json');
CREATE TABLE shared (auction STRING, price INT, r BIGINT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'shared', 'format' = 'json');
CREATE TABLE later (n BIGINT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'later', 'format' = 'json');
CREATE VIEW bid_windows AS SELECT * FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECONDS));
CREATE VIEW bid_hops AS SELECT * FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECONDS, INTERVAL '20' SECONDS));
CREATE VIEW tops AS SELECT * FROM (SELECT auction, price, window_start, window_end, window_time, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY price DESC, bidder) AS rn FROM bid_hops) WHERE rn <= 2;
CREATE VIEW late_tops AS SELECT auction, window_time AS wt FROM tops;
INSERT INTO top2 SELECT rn, auction, bidder, price, window_start FROM
(SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY price DESC) AS rn FROM bid_windows) WHERE rn <= 2;
INSERT INTO best SELECT auction, bidder, window_start FROM
(SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, auction ORDER BY price DESC) AS rn FROM bid_windows) WHERE rn = 1;
INSERT INTO ranked SELECT auction, n, rn, window_start, window_end FROM
(SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY n DESC, auction) AS rn FROM
(SELECT auction, COUNT(*) AS n, window_start, window_end FROM bid_hops GROUP BY auction, window_start, window_end)) WHERE rn <= 2;
INSERT INTO second SELECT auction, bidder, window_start FROM
(SELECT *, ROW_NUMBER() OVER (PARTITION BY auction, window_end, window_start ORDER BY price) AS rn FROM bid_windows) WHERE rn BETWEEN 2 AND 3;
INSERT INTO firsts SELECT auction, bidder, price, window_start FROM
(SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, auction ORDER BY ts) AS rn FROM bid_windows) WHERE rn = 1;
INSERT INTO counted SELECT window_start, COUNT(*), SUM(price) FROM tops GROUP BY window_start, window_end;
INSERT INTO later SELECT COUNT(*), window_start FROM (SELECT * FROM TABLE(TUMBLE(TABLE late_tops, DESCRIPTOR(wt), INTERVAL '20' SECONDS))) GROUP BY window_start, window_end;
INSERT INTO shared SELECT auction, price, r, window_start FROM
(SELECT *, RANK() OVER (PARTITION BY window_start, window_end ORDER BY price DESC) AS r FROM bid_windows) WHERE r <= 2;

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

-- answer of top2
{"rn": 1, "auction": null, "bidder": "dan", "price": 9, "ws": "2025-03-01 10:00:00"}
{"rn": 2, "auction": "b", "bidder": "eva", "price": 6, "ws": "2025-03-01 10:00:00"}
{"rn": 1, "auction": "a", "bidder": "cid", "price": 7, "ws": "2025-03-01 10:00:10"}
{"rn": 1, "auction": "c", "bidder": "bob", "price": 4, "ws": "2025-03-01 10:00:20"}

-- answer of best
{"auction": "a", "bidder": "ann", "ws": "2025-03-01 10:00:00"}
{"auction": "b", "bidder": "eva", "ws": "2025-03-01 10:00:00"}
{"auction": null, "bidder": "dan", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "cid", "ws": "2025-03-01 10:00:10"}
{"auction": "c", "bidder": "bob", "ws": "2025-03-01 10:00:20"}

-- answer of ranked
{"auction": "a", "n": 4, "rn": 1, "ws": "2025-03-01 09:59:50", "we": "2025-03-01 10:00:10"}
{"auction": "b", "n": 2, "rn": 2, "ws": "2025-03-01 09:59:50", "we": "2025-03-01 10:00:10"}
{"auction": "a", "n": 5, "rn": 1, "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:20"}
{"auction": "b", "n": 2, "rn": 2, "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:20"}
{"auction": "a", "n": 1, "rn": 1, "ws": "2025-03-01 10:00:10", "we": "2025-03-01 10:00:30"}
{"auction": "c", "n": 1, "rn": 2, "ws": "2025-03-01 10:00:10", "we": "2025-03-01 10:00:30"}
{"auction": "c", "n": 1, "rn": 1, "ws": "2025-03-01 10:00:20", "we": "2025-03-01 10:00:40"}

-- answer of second
{"auction": "a", "bidder": "ann", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "dan", "ws": "2025-03-01 10:00:00"}
{"auction": "b", "bidder": "eva", "ws": "2025-03-01 10:00:00"}

-- answer of firsts
{"auction": "a", "bidder": "ann", "price": 5, "ws": "2025-03-01 10:00:00"}
{"auction": "b", "bidder": "ann", "price": 1, "ws": "2025-03-01 10:00:00"}
{"auction": null, "bidder": "dan", "price": 9, "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "cid", "price": 7, "ws": "2025-03-01 10:00:10"}
{"auction": "c", "bidder": "bob", "price": 4, "ws": "2025-03-01 10:00:20"}

-- answer of counted
{"ws": "2025-03-01 09:59:50", "n": 2, "spent": 15}
{"ws": "2025-03-01 10:00:00", "n": 2, "spent": 16}
{"ws": "2025-03-01 10:00:10", "n": 2, "spent": 11}
{"ws": "2025-03-01 10:00:20", "n": 1, "spent": 4}

-- answer of later
{"n": 4, "ws": "2025-03-01 10:00:00"}
{"n": 3, "ws": "2025-03-01 10:00:20"}
