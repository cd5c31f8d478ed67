CREATE TABLE orders (id INT, item STRING, n INT, at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 'orders', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE payments (order_id BIGINT, amount INT, at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 'payments', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE items (item STRING, maker STRING, price INT, PRIMARY KEY (item) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'items', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE paid (id INT, amount INT, n INT) WITH ('connector' = 'kafka', 'topic' = 'paid', 'format' = 'json');
CREATE TABLE paid_enough (id INT, amount INT) WITH ('connector' = 'kafka', 'topic' = 'paid_enough', 'format' = 'json');
CREATE TABLE in_time (id INT, amount INT, seconds STRING) WITH ('connector' = 'kafka', 'topic' = 'in_time', 'format' = 'json');
CREATE TABLE in_time_left (id INT, item STRING, amount INT) WITH ('connector' = 'kafka', 'topic' = 'in_time_left', 'format' = 'json');
CREATE TABLE in_time_full (id INT, order_id BIGINT, amount INT) WITH ('connector' = 'kafka', 'topic' = 'in_time_full', 'format' = 'json');
CREATE TABLE before (one INT, other INT) WITH ('connector' = 'kafka', 'topic' = 'before', 'format' = 'json');
CREATE TABLE lefts (id INT, orders BIGINT, payments BIGINT, total INT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'lefts', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE fulls (id INT, orders BIGINT, payments BIGINT, total INT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'fulls', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE rights (order_id BIGINT, orders BIGINT, payments BIGINT, PRIMARY KEY (order_id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'rights', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE balances (id INT, n INT, amount INT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'balances', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE all_balances (id INT, order_id BIGINT, n INT, amount INT, PRIMARY KEY (id, order_id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'all_balances', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE makers (maker STRING, orders BIGINT, amount INT, PRIMARY KEY (maker) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'makers', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE cheaper (item STRING, than STRING, by_so_much INT, PRIMARY KEY (item, than) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'cheaper', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE described (id INT, item STRING, maker STRING) WITH ('connector' = 'kafka', 'topic' = 'described', 'format' = 'json');
CREATE TABLE unmatched (id INT, n BIGINT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'unmatched', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE latest (id INT, amount INT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'latest', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE priced (id INT, item STRING, price INT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'priced', 'key.format' = 'json', 'value.format' = 'json');

CREATE VIEW ordered AS SELECT id, SUM(n) AS n FROM orders GROUP BY id;
CREATE VIEW payed AS SELECT order_id, SUM(amount) AS amount FROM payments GROUP BY order_id;

EXECUTE STATEMENT SET BEGIN
-- Rows on rows, keys of different types, nulls and duplicates among them.
INSERT INTO paid SELECT o.id, p.amount, o.n FROM orders AS o JOIN payments AS p ON o.id = p.order_id;
-- The same with a comma, and with conditions on either side and on both.
INSERT INTO paid_enough
SELECT o.id, p.amount FROM payments AS p, orders AS o
WHERE o.id = p.order_id AND p.amount >= o.n * 10 AND o.n > 1 AND p.amount < 100;
-- Unmatched rows, counted: every change of the join is a change of its groups.
INSERT INTO lefts
SELECT COALESCE(o.id, 0), COUNT(*), COUNT(p.amount), SUM(p.amount)
FROM orders AS o LEFT JOIN payments AS p ON o.id = p.order_id AND p.amount > o.n * 10 GROUP BY COALESCE(o.id, 0);
INSERT INTO rights
SELECT COALESCE(p.order_id, 0), COUNT(o.id), COUNT(*)
FROM orders AS o RIGHT JOIN payments AS p ON o.id = p.order_id AND o.n < 3 GROUP BY COALESCE(p.order_id, 0);
INSERT INTO fulls
SELECT COALESCE(o.id, 0), COUNT(*), COUNT(p.amount), SUM(p.amount)
FROM orders AS o FULL JOIN payments AS p ON o.id = p.order_id GROUP BY COALESCE(o.id, 0);
INSERT INTO unmatched
SELECT COALESCE(o.id, 0), COUNT(*) FROM orders AS o LEFT JOIN payments AS p ON o.id = p.order_id
WHERE p.order_id IS NULL GROUP BY COALESCE(o.id, 0);
-- Rows that only the key of the table tells apart.
INSERT INTO latest
SELECT o.id, p.amount FROM orders AS o LEFT JOIN payments AS p ON o.id = p.order_id AND p.amount > 50 WHERE o.n IN (1, 5, 7)
ON CONFLICT DO DEDUPLICATE;
INSERT INTO priced
SELECT o.id, o.item, i.price FROM orders AS o JOIN items AS i ON o.item = i.item WHERE o.n IN (1, 5, 7)
ON CONFLICT DO DEDUPLICATE;
-- Rows that are updated on both sides.
INSERT INTO balances SELECT o.id, o.n, p.amount FROM ordered AS o JOIN payed AS p ON o.id = p.order_id;
INSERT INTO all_balances
SELECT COALESCE(o.id, 0), COALESCE(p.order_id, 0), o.n, p.amount
FROM (SELECT * FROM ordered WHERE id IS NOT NULL) AS o FULL JOIN payed AS p ON o.id = p.order_id AND p.amount > o.n
ON CONFLICT DO DEDUPLICATE;
-- A table of upserts: on its key, and on another column, and with itself.
INSERT INTO makers
SELECT i.maker, COUNT(*), SUM(p.amount)
FROM orders AS o, items AS i, payments AS p WHERE o.item = i.item AND o.id = p.order_id GROUP BY i.maker;
INSERT INTO cheaper
SELECT a.item, b.item, b.price - a.price FROM items AS a JOIN items AS b ON a.maker = b.maker WHERE a.price < b.price;
-- Times that are near each other.
INSERT INTO in_time
SELECT o.id, p.amount, CAST(p.at AS STRING)
FROM orders AS o JOIN payments AS p ON o.id = p.order_id AND p.at BETWEEN o.at - INTERVAL '5' SECONDS AND o.at + INTERVAL '10' SECONDS
WHERE p.amount > o.n;
INSERT INTO in_time_left
SELECT o.id, o.item, p.amount
FROM orders AS o LEFT JOIN payments AS p ON o.id = p.order_id AND p.at > o.at AND p.at - INTERVAL '10' SECONDS < o.at;
INSERT INTO in_time_full
SELECT o.id, p.order_id, p.amount
FROM orders AS o FULL JOIN payments AS p ON p.order_id = o.id AND o.at <= p.at AND o.at >= p.at - INTERVAL '1' MINUTE AND p.amount > 5;
INSERT INTO before
SELECT a.id, b.id FROM orders AS a JOIN orders AS b ON a.item = b.item AND a.at < b.at AND a.at > b.at - INTERVAL '1' MINUTE;
INSERT INTO described
SELECT o.id, o.item, p.item FROM orders AS o JOIN orders AS p ON o.id = p.id AND o.at = p.at;
END;

-- rows of orders
{"id":1,"item":"tea","n":2,"at":"2024-01-01 10:00:00"}
{"id":2,"item":"rice","n":1,"at":"2024-01-01 10:00:05"}
{"id":3,"item":"tea","n":5,"at":"2024-01-01 10:00:02"}
{"id":1,"item":"tea","n":2,"at":"2024-01-01 10:00:00"}
{"id":null,"item":"tea","n":3,"at":"2024-01-01 10:00:20"}
{"id":4,"item":null,"n":1,"at":"2024-01-01 10:00:30"}
{"id":5,"item":"salt","n":7,"at":"2024-01-01 10:01:00"}
{"id":2,"item":"rice","n":4,"at":"2024-01-01 10:00:06"}
{"id":6,"item":"none","n":1,"at":"2024-01-01 10:02:00"}

-- rows of payments
{"order_id":1,"amount":25,"at":"2024-01-01 10:00:08"}
{"order_id":3,"amount":60,"at":"2024-01-01 10:00:12"}
{"order_id":1,"amount":5,"at":"2024-01-01 10:00:10"}
{"order_id":1,"amount":25,"at":"2024-01-01 10:00:08"}
{"order_id":2,"amount":41,"at":"2024-01-01 09:59:59"}
{"order_id":null,"amount":7,"at":"2024-01-01 10:00:22"}
{"order_id":9,"amount":90,"at":"2024-01-01 10:00:40"}
{"order_id":5,"amount":200,"at":"2024-01-01 10:01:10"}
{"order_id":2,"amount":30,"at":"2024-01-01 10:00:15"}
{"order_id":4,"amount":null,"at":"2024-01-01 10:00:31"}

-- rows of items
{"item":"tea","maker":"a","price":4}
{"item":"rice","maker":"b","price":2}
{"item":"salt","maker":"a","price":1}
{"item":"oil","maker":"b","price":9}
