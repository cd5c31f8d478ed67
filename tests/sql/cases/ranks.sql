CREATE TABLE bids (auction INT, bidder STRING, price INT, at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '1' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'bids', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE prices (item STRING, shop STRING, price INT, PRIMARY KEY (item) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'prices', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE top2 (auction INT, rn BIGINT, bidder STRING, price INT, PRIMARY KEY (auction, rn) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'top2', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE best (auction INT, bidder STRING, price INT, PRIMARY KEY (auction) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'best', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE lasting (bidder STRING, auction INT, price INT, PRIMARY KEY (bidder) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'lasting', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE second (auction INT, bidder STRING, PRIMARY KEY (auction) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'second', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE shared (auction INT, bidder STRING, r BIGINT, PRIMARY KEY (auction, bidder) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'shared', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE dense (auction INT, bidder STRING, r BIGINT, PRIMARY KEY (auction, bidder) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'dense', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE busiest (rn BIGINT, bidder STRING, bids BIGINT, PRIMARY KEY (rn) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'busiest', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE cheapest (item STRING, price INT, PRIMARY KEY (item) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'cheapest', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE by_shop (shop STRING, item STRING, rn BIGINT, PRIMARY KEY (shop, rn) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'by_shop', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE totals (shop STRING, items BIGINT, price INT, PRIMARY KEY (shop) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'totals', 'key.format' = 'json', 'value.format' = 'json');

INSERT INTO top2 SELECT auction, rn, bidder, price
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC, bidder) AS rn FROM bids) WHERE rn <= 2;

-- The rank is not selected, and bounded otherwise; another condition stands beside it.
INSERT INTO best SELECT auction, bidder, price
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC, bidder) AS rn FROM bids)
WHERE 2 > rn AND price > 15;

INSERT INTO lasting SELECT bidder, auction, price FROM bids
QUALIFY ROW_NUMBER() OVER (PARTITION BY bidder ORDER BY at DESC) = 1;

INSERT INTO second SELECT auction, bidder
FROM (SELECT auction, bidder, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC, bidder) AS rn FROM bids) WHERE rn > 1 AND rn < 3;

INSERT INTO shared SELECT auction, bidder, r
FROM (SELECT *, RANK() OVER (PARTITION BY auction ORDER BY price / 10 DESC) AS r FROM bids) WHERE r <= 2
ON CONFLICT DO DEDUPLICATE;

INSERT INTO dense SELECT auction, bidder, r
FROM (SELECT *, DENSE_RANK() OVER (PARTITION BY auction ORDER BY price / 10 DESC) AS r FROM bids) WHERE r <= 2
ON CONFLICT DO DEDUPLICATE;

-- Over an aggregate: its rows change.
INSERT INTO busiest SELECT rn, bidder, bids
FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY bids DESC, bidder) AS rn FROM (SELECT bidder, COUNT(*) AS bids FROM bids GROUP BY bidder))
WHERE rn BETWEEN 1 AND 2;

-- Over an upsert table, of everything, with nulls.
INSERT INTO cheapest SELECT item, price FROM prices ORDER BY price, item LIMIT 2 OFFSET 1;

INSERT INTO by_shop SELECT shop, item, rn
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY price DESC, item) AS rn FROM prices) WHERE rn <= 2;

-- An aggregate over the first rows.
INSERT INTO totals SELECT shop, COUNT(*), SUM(price)
FROM (SELECT * FROM prices QUALIFY ROW_NUMBER() OVER (PARTITION BY shop ORDER BY price DESC, item) <= 2) GROUP BY shop;

-- rows of bids
{"auction": 1, "bidder": "a", "price": 10, "at": "2025-03-01 08:00:00"}
{"auction": 1, "bidder": "b", "price": 30, "at": "2025-03-01 08:00:01"}
{"auction": 2, "bidder": "a", "price": 12, "at": "2025-03-01 08:00:02"}
{"auction": 1, "bidder": "c", "price": 20, "at": "2025-03-01 08:00:03"}
{"auction": 1, "bidder": "d", "price": 31, "at": "2025-03-01 08:00:04"}
{"auction": 2, "bidder": "c", "price": null, "at": "2025-03-01 08:00:05"}
{"auction": 2, "bidder": "d", "price": 17, "at": "2025-03-01 08:00:06"}
{"auction": 1, "bidder": "e", "price": 5, "at": "2025-03-01 08:00:07"}
{"auction": 2, "bidder": "b", "price": 40, "at": "2025-03-01 08:00:08"}
{"auction": 3, "bidder": "a", "price": 1, "at": "2025-03-01 08:00:09"}
-- rows of prices
{"item": "nail", "shop": "x", "price": 5}
{"item": "bolt", "shop": "x", "price": 7}
{"item": "saw", "shop": "y", "price": 90}
{"item": "glue", "shop": "x", "price": null}
{"item": "tape", "shop": "x", "price": 6}
{"item": "rope", "shop": "y", "price": 8}
