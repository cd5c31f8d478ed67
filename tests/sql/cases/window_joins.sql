CREATE TABLE bids (auction STRING, bidder STRING, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 'bids', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE asks (auction STRING, seller STRING, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 'asks', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE tumbled (auction STRING, bidder STRING, ws TIMESTAMP(3), we TIMESTAMP(3), wt TIMESTAMP(3), bounds STRING) WITH ('connector' = 'kafka', 'topic' = 'tumbled', 'format' = 'json');
CREATE TABLE hopped (auction STRING, bidder STRING, ws TIMESTAMP(3), we TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'hopped', 'format' = 'json');
CREATE TABLE cumulated (auction STRING, price INT, ws TIMESTAMP(3), we TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'cumulated', 'format' = 'json');
CREATE TABLE filtered (auction STRING, n BIGINT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'filtered', 'format' = 'json');
CREATE TABLE by_key (auction STRING, n BIGINT, PRIMARY KEY (auction) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'by_key', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE inner_join (auction STRING, bidder STRING, seller STRING, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'inner_join', 'format' = 'json');
CREATE TABLE left_join (auction STRING, bidder STRING, seller STRING, ws TIMESTAMP(3), rs TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'left_join', 'format' = 'json');
CREATE TABLE right_join (auction STRING, bidder STRING, seller STRING, ws TIMESTAMP(3), rs TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'right_join', 'format' = 'json');
CREATE TABLE full_join (auction STRING, bidder STRING, seller STRING, ws TIMESTAMP(3), rs TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'full_join', 'format' = 'json');
CREATE TABLE semi_join (auction STRING, bidder STRING, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'semi_join', 'format' = 'json');
CREATE TABLE exists_join (auction STRING, bidder STRING, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'exists_join', 'format' = 'json');
CREATE TABLE anti_join (auction STRING, bidder STRING, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'anti_join', 'format' = 'json');
CREATE TABLE hop_join (auction STRING, bidder STRING, seller STRING, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'hop_join', 'format' = 'json');
CREATE TABLE only_windows (bidder STRING, seller STRING, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'only_windows', 'format' = 'json');
CREATE TABLE counted (ws TIMESTAMP(3), we TIMESTAMP(3), n BIGINT, spent INT) WITH ('connector' = 'kafka', 'topic' = 'counted', 'format' = 'json');
CREATE TABLE of_groups (auction STRING, n BIGINT, we TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'of_groups', 'format' = 'json');
CREATE TABLE hottest (auction STRING, n BIGINT, st TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'hottest', 'format' = 'json');
CREATE TABLE three (auction STRING, bidder STRING, seller STRING, other STRING, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'three', 'format' = 'json');
CREATE TABLE wider (n BIGINT, ws TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'wider', 'format' = 'json');

CREATE VIEW bid_windows AS SELECT * FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECONDS));
CREATE VIEW ask_windows AS SELECT * FROM TABLE(TUMBLE(TABLE asks, DESCRIPTOR(ts), INTERVAL '10' SECONDS));
CREATE VIEW bid_hops AS SELECT * FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECONDS, INTERVAL '20' SECONDS));
CREATE VIEW ask_hops AS SELECT * FROM TABLE(HOP(TABLE asks, DESCRIPTOR(ts), INTERVAL '10' SECONDS, INTERVAL '20' SECONDS));
CREATE VIEW timed AS SELECT auction, window_time AS wt FROM bid_windows;
CREATE VIEW hop_counts AS SELECT auction, COUNT(*) AS n, window_start AS st, window_end AS en FROM bid_hops GROUP BY auction, window_start, window_end;

INSERT INTO tumbled SELECT auction, bidder, window_start, window_end, window_time, CAST(window_start AS STRING) || ' to ' || CAST(window_end AS STRING) FROM bid_windows WHERE price > 1;
INSERT INTO hopped SELECT auction, bidder, window_start, window_end FROM bid_hops;
INSERT INTO cumulated SELECT auction, price, window_start, window_end FROM TABLE(CUMULATE(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECONDS, INTERVAL '10' SECONDS)) WHERE window_end > TIMESTAMP '2025-03-01 10:00:10';
INSERT INTO filtered SELECT auction, COUNT(*), window_start FROM bid_hops WHERE window_start >= TIMESTAMP '2025-03-01 10:00:00' GROUP BY auction, window_start, window_end;
INSERT INTO by_key SELECT auction, COUNT(*) FROM bid_hops WHERE auction IS NOT NULL GROUP BY auction;
INSERT INTO inner_join SELECT b.auction, b.bidder, a.seller, b.window_start FROM bid_windows AS b JOIN ask_windows AS a
ON b.auction = a.auction AND b.window_start = a.window_start AND b.window_end = a.window_end AND b.price >= a.price;
INSERT INTO left_join SELECT b.auction, b.bidder, a.seller, b.window_start, a.window_start FROM bid_windows AS b LEFT JOIN ask_windows AS a
ON b.auction = a.auction AND b.window_start = a.window_start AND b.window_end = a.window_end AND b.price >= a.price;
INSERT INTO right_join SELECT a.auction, b.bidder, a.seller, b.window_start, a.window_start FROM bid_windows AS b RIGHT JOIN ask_windows AS a
ON b.auction = a.auction AND b.window_start = a.window_start AND b.window_end = a.window_end;
INSERT INTO full_join SELECT COALESCE(a.auction, b.auction), b.bidder, a.seller, b.window_start, a.window_start FROM bid_windows AS b FULL JOIN ask_windows AS a
ON b.auction = a.auction AND b.window_start = a.window_start AND b.window_end = a.window_end;
INSERT INTO semi_join SELECT auction, bidder, window_start FROM bid_windows AS b WHERE auction IN
(SELECT auction FROM ask_windows AS a WHERE b.window_start = a.window_start AND b.window_end = a.window_end);
INSERT INTO exists_join SELECT auction, bidder, window_start FROM bid_windows AS b WHERE EXISTS
(SELECT * FROM ask_windows AS a WHERE a.auction = b.auction AND b.window_start = a.window_start AND b.window_end = a.window_end AND a.price < b.price);
INSERT INTO anti_join SELECT auction, bidder, window_start FROM bid_windows AS b WHERE NOT EXISTS
(SELECT * FROM ask_windows AS a WHERE a.auction = b.auction AND b.window_start = a.window_start AND b.window_end = a.window_end);
INSERT INTO hop_join SELECT b.auction, b.bidder, a.seller, b.window_start FROM bid_hops AS b JOIN ask_hops AS a
ON b.auction = a.auction AND b.window_start = a.window_start AND b.window_end = a.window_end;
INSERT INTO only_windows SELECT b.bidder, a.seller, b.window_start FROM bid_windows AS b JOIN ask_windows AS a
ON b.window_start = a.window_start AND b.window_end = a.window_end AND b.auction <> a.auction;
INSERT INTO counted SELECT b.window_start, b.window_end, COUNT(*), SUM(b.price) FROM bid_windows AS b JOIN ask_windows AS a
ON b.auction = a.auction AND b.window_start = a.window_start AND b.window_end = a.window_end GROUP BY b.window_start, b.window_end;
INSERT INTO of_groups SELECT c.auction, c.n, c.en FROM hop_counts AS c JOIN
(SELECT seller, window_start, window_end, MAX(auction) AS auction FROM ask_hops GROUP BY seller, window_start, window_end) AS a
ON c.auction = a.auction AND c.st = a.window_start AND c.en = a.window_end;
INSERT INTO hottest SELECT c.auction, c.n, c.st FROM hop_counts AS c JOIN
(SELECT MAX(n) AS most, st, en FROM hop_counts GROUP BY st, en) AS m ON c.st = m.st AND c.en = m.en AND c.n >= m.most;
INSERT INTO three SELECT b.auction, b.bidder, a.seller, o.seller, b.window_start FROM bid_windows AS b
JOIN ask_windows AS a ON b.auction = a.auction AND b.window_start = a.window_start AND b.window_end = a.window_end
JOIN ask_windows AS o ON b.auction = o.auction AND b.window_start = o.window_start AND b.window_end = o.window_end;
INSERT INTO wider SELECT COUNT(*), window_start FROM TABLE(TUMBLE(TABLE timed, DESCRIPTOR(wt), INTERVAL '20' SECONDS)) GROUP BY window_start, window_end;

-- rows of bids
{"auction":"a","bidder":"ann","price":5,"ts":"2025-03-01 10:00:01"}
{"auction":"a","bidder":"bob","price":3,"ts":"2025-03-01 10:00:09.999"}
{"auction":"b","bidder":"ann","price":1,"ts":"2025-03-01 10:00:02"}
{"auction":"a","bidder":"cid","price":7,"ts":"2025-03-01 10:00:10"}
{"auction":null,"bidder":"dan","price":9,"ts":"2025-03-01 10:00:03"}
{"auction":"c","bidder":"bob","price":4,"ts":"2025-03-01 10:00:22"}
{"auction":"b","bidder":"eva","price":6,"ts":"2025-03-01 10:00:05"}
{"auction":"a","bidder":"ann","price":5,"ts":"2025-03-01 10:00:01"}

-- rows of asks
{"auction":"a","seller":"sam","price":4,"ts":"2025-03-01 10:00:08"}
{"auction":"a","seller":"tom","price":6,"ts":"2025-03-01 10:00:00"}
{"auction":"b","seller":"tom","price":2,"ts":"2025-03-01 10:00:14"}
{"auction":null,"seller":"una","price":1,"ts":"2025-03-01 10:00:04"}
{"auction":"c","seller":"sam","price":4,"ts":"2025-03-01 10:00:29"}
{"auction":"a","seller":"una","price":8,"ts":"2025-03-01 10:00:19"}

-- answer of tumbled
{"auction": "a", "bidder": "ann", "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:10", "wt": "2025-03-01 10:00:09.999", "bounds": "2025-03-01 10:00:00.000 to 2025-03-01 10:00:10.000"}
{"auction": "a", "bidder": "bob", "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:10", "wt": "2025-03-01 10:00:09.999", "bounds": "2025-03-01 10:00:00.000 to 2025-03-01 10:00:10.000"}
{"auction": "a", "bidder": "cid", "ws": "2025-03-01 10:00:10", "we": "2025-03-01 10:00:20", "wt": "2025-03-01 10:00:19.999", "bounds": "2025-03-01 10:00:10.000 to 2025-03-01 10:00:20.000"}
{"auction": null, "bidder": "dan", "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:10", "wt": "2025-03-01 10:00:09.999", "bounds": "2025-03-01 10:00:00.000 to 2025-03-01 10:00:10.000"}
{"auction": "c", "bidder": "bob", "ws": "2025-03-01 10:00:20", "we": "2025-03-01 10:00:30", "wt": "2025-03-01 10:00:29.999", "bounds": "2025-03-01 10:00:20.000 to 2025-03-01 10:00:30.000"}
{"auction": "b", "bidder": "eva", "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:10", "wt": "2025-03-01 10:00:09.999", "bounds": "2025-03-01 10:00:00.000 to 2025-03-01 10:00:10.000"}
{"auction": "a", "bidder": "ann", "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:10", "wt": "2025-03-01 10:00:09.999", "bounds": "2025-03-01 10:00:00.000 to 2025-03-01 10:00:10.000"}

-- answer of hopped
{"auction": "a", "bidder": "ann", "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:20"}
{"auction": "a", "bidder": "ann", "ws": "2025-03-01 09:59:50", "we": "2025-03-01 10:00:10"}
{"auction": "a", "bidder": "bob", "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:20"}
{"auction": "a", "bidder": "bob", "ws": "2025-03-01 09:59:50", "we": "2025-03-01 10:00:10"}
{"auction": "b", "bidder": "ann", "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:20"}
{"auction": "b", "bidder": "ann", "ws": "2025-03-01 09:59:50", "we": "2025-03-01 10:00:10"}
{"auction": "a", "bidder": "cid", "ws": "2025-03-01 10:00:10", "we": "2025-03-01 10:00:30"}
{"auction": "a", "bidder": "cid", "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:20"}
{"auction": null, "bidder": "dan", "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:20"}
{"auction": null, "bidder": "dan", "ws": "2025-03-01 09:59:50", "we": "2025-03-01 10:00:10"}
{"auction": "c", "bidder": "bob", "ws": "2025-03-01 10:00:20", "we": "2025-03-01 10:00:40"}
{"auction": "c", "bidder": "bob", "ws": "2025-03-01 10:00:10", "we": "2025-03-01 10:00:30"}
{"auction": "b", "bidder": "eva", "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:20"}
{"auction": "b", "bidder": "eva", "ws": "2025-03-01 09:59:50", "we": "2025-03-01 10:00:10"}
{"auction": "a", "bidder": "ann", "ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:20"}
{"auction": "a", "bidder": "ann", "ws": "2025-03-01 09:59:50", "we": "2025-03-01 10:00:10"}

-- answer of cumulated
{"auction": "a", "price": 7, "ws": "2025-03-01 10:00:10", "we": "2025-03-01 10:00:15"}
{"auction": "a", "price": 7, "ws": "2025-03-01 10:00:10", "we": "2025-03-01 10:00:20"}
{"auction": "c", "price": 4, "ws": "2025-03-01 10:00:20", "we": "2025-03-01 10:00:25"}
{"auction": "c", "price": 4, "ws": "2025-03-01 10:00:20", "we": "2025-03-01 10:00:30"}

-- answer of filtered
{"auction": "a", "n": 4, "ws": "2025-03-01 10:00:00"}
{"auction": "b", "n": 2, "ws": "2025-03-01 10:00:00"}
{"auction": null, "n": 1, "ws": "2025-03-01 10:00:00"}
{"auction": "c", "n": 1, "ws": "2025-03-01 10:00:10"}
{"auction": "a", "n": 1, "ws": "2025-03-01 10:00:10"}
{"auction": "c", "n": 1, "ws": "2025-03-01 10:00:20"}

-- answer of by_key
{"auction": "c", "n": 2}
{"auction": "b", "n": 4}
{"auction": "a", "n": 8}

-- answer of inner_join
{"auction": "a", "bidder": "ann", "seller": "sam", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "sam", "ws": "2025-03-01 10:00:00"}
{"auction": "c", "bidder": "bob", "seller": "sam", "ws": "2025-03-01 10:00:20"}

-- answer of left_join
{"auction": "a", "bidder": "ann", "seller": "sam", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "seller": null, "ws": "2025-03-01 10:00:00", "rs": null}
{"auction": "a", "bidder": "ann", "seller": "sam", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": "b", "bidder": "ann", "seller": null, "ws": "2025-03-01 10:00:00", "rs": null}
{"auction": "b", "bidder": "eva", "seller": null, "ws": "2025-03-01 10:00:00", "rs": null}
{"auction": null, "bidder": "dan", "seller": null, "ws": "2025-03-01 10:00:00", "rs": null}
{"auction": "a", "bidder": "cid", "seller": null, "ws": "2025-03-01 10:00:10", "rs": null}
{"auction": "c", "bidder": "bob", "seller": "sam", "ws": "2025-03-01 10:00:20", "rs": "2025-03-01 10:00:20"}

-- answer of right_join
{"auction": "a", "bidder": "ann", "seller": "sam", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "seller": "sam", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "sam", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "tom", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "seller": "tom", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "tom", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": null, "bidder": null, "seller": "una", "ws": null, "rs": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "cid", "seller": "una", "ws": "2025-03-01 10:00:10", "rs": "2025-03-01 10:00:10"}
{"auction": "b", "bidder": null, "seller": "tom", "ws": null, "rs": "2025-03-01 10:00:10"}
{"auction": "c", "bidder": "bob", "seller": "sam", "ws": "2025-03-01 10:00:20", "rs": "2025-03-01 10:00:20"}

-- answer of full_join
{"auction": "a", "bidder": "ann", "seller": "sam", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "tom", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "seller": "sam", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "seller": "tom", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "sam", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "tom", "ws": "2025-03-01 10:00:00", "rs": "2025-03-01 10:00:00"}
{"auction": null, "bidder": "dan", "seller": null, "ws": "2025-03-01 10:00:00", "rs": null}
{"auction": null, "bidder": null, "seller": "una", "ws": null, "rs": "2025-03-01 10:00:00"}
{"auction": "b", "bidder": "ann", "seller": null, "ws": "2025-03-01 10:00:00", "rs": null}
{"auction": "b", "bidder": "eva", "seller": null, "ws": "2025-03-01 10:00:00", "rs": null}
{"auction": "a", "bidder": "cid", "seller": "una", "ws": "2025-03-01 10:00:10", "rs": "2025-03-01 10:00:10"}
{"auction": "b", "bidder": null, "seller": "tom", "ws": null, "rs": "2025-03-01 10:00:10"}
{"auction": "c", "bidder": "bob", "seller": "sam", "ws": "2025-03-01 10:00:20", "rs": "2025-03-01 10:00:20"}

-- answer of semi_join
{"auction": "a", "bidder": "ann", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "cid", "ws": "2025-03-01 10:00:10"}
{"auction": "c", "bidder": "bob", "ws": "2025-03-01 10:00:20"}

-- answer of exists_join
{"auction": "a", "bidder": "ann", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "ws": "2025-03-01 10:00:00"}

-- answer of anti_join
{"auction": "b", "bidder": "ann", "ws": "2025-03-01 10:00:00"}
{"auction": "b", "bidder": "eva", "ws": "2025-03-01 10:00:00"}
{"auction": null, "bidder": "dan", "ws": "2025-03-01 10:00:00"}

-- answer of hop_join
{"auction": "a", "bidder": "ann", "seller": "sam", "ws": "2025-03-01 09:59:50"}
{"auction": "a", "bidder": "ann", "seller": "tom", "ws": "2025-03-01 09:59:50"}
{"auction": "a", "bidder": "bob", "seller": "sam", "ws": "2025-03-01 09:59:50"}
{"auction": "a", "bidder": "bob", "seller": "tom", "ws": "2025-03-01 09:59:50"}
{"auction": "a", "bidder": "ann", "seller": "sam", "ws": "2025-03-01 09:59:50"}
{"auction": "a", "bidder": "ann", "seller": "tom", "ws": "2025-03-01 09:59:50"}
{"auction": "b", "bidder": "ann", "seller": "tom", "ws": "2025-03-01 10:00:00"}
{"auction": "b", "bidder": "eva", "seller": "tom", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "sam", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "tom", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "una", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "seller": "sam", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "seller": "tom", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "seller": "una", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "cid", "seller": "sam", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "cid", "seller": "tom", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "cid", "seller": "una", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "sam", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "tom", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "una", "ws": "2025-03-01 10:00:00"}
{"auction": "c", "bidder": "bob", "seller": "sam", "ws": "2025-03-01 10:00:10"}
{"auction": "a", "bidder": "cid", "seller": "una", "ws": "2025-03-01 10:00:10"}
{"auction": "c", "bidder": "bob", "seller": "sam", "ws": "2025-03-01 10:00:20"}

-- answer of only_windows
{"bidder": "ann", "seller": "sam", "ws": "2025-03-01 10:00:00"}
{"bidder": "ann", "seller": "tom", "ws": "2025-03-01 10:00:00"}
{"bidder": "eva", "seller": "sam", "ws": "2025-03-01 10:00:00"}
{"bidder": "eva", "seller": "tom", "ws": "2025-03-01 10:00:00"}
{"bidder": "cid", "seller": "tom", "ws": "2025-03-01 10:00:10"}

-- answer of counted
{"ws": "2025-03-01 10:00:00", "we": "2025-03-01 10:00:10", "n": 6, "spent": 26}
{"ws": "2025-03-01 10:00:10", "we": "2025-03-01 10:00:20", "n": 1, "spent": 7}
{"ws": "2025-03-01 10:00:20", "we": "2025-03-01 10:00:30", "n": 1, "spent": 4}

-- answer of of_groups
{"auction": "a", "n": 3, "we": "2025-03-01 10:00:10"}
{"auction": "a", "n": 3, "we": "2025-03-01 10:00:10"}
{"auction": "b", "n": 2, "we": "2025-03-01 10:00:20"}
{"auction": "a", "n": 4, "we": "2025-03-01 10:00:20"}
{"auction": "a", "n": 4, "we": "2025-03-01 10:00:20"}
{"auction": "c", "n": 1, "we": "2025-03-01 10:00:30"}
{"auction": "a", "n": 1, "we": "2025-03-01 10:00:30"}
{"auction": "c", "n": 1, "we": "2025-03-01 10:00:40"}

-- answer of hottest
{"auction": "a", "n": 3, "st": "2025-03-01 09:59:50"}
{"auction": "a", "n": 4, "st": "2025-03-01 10:00:00"}
{"auction": "a", "n": 1, "st": "2025-03-01 10:00:10"}
{"auction": "c", "n": 1, "st": "2025-03-01 10:00:10"}
{"auction": "c", "n": 1, "st": "2025-03-01 10:00:20"}

-- answer of three
{"auction": "a", "bidder": "ann", "seller": "sam", "other": "sam", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "sam", "other": "tom", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "tom", "other": "sam", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "tom", "other": "tom", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "seller": "sam", "other": "sam", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "seller": "sam", "other": "tom", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "seller": "tom", "other": "sam", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "bob", "seller": "tom", "other": "tom", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "sam", "other": "sam", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "sam", "other": "tom", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "tom", "other": "sam", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "ann", "seller": "tom", "other": "tom", "ws": "2025-03-01 10:00:00"}
{"auction": "a", "bidder": "cid", "seller": "una", "other": "una", "ws": "2025-03-01 10:00:10"}
{"auction": "c", "bidder": "bob", "seller": "sam", "other": "sam", "ws": "2025-03-01 10:00:20"}
