CREATE TABLE orders (id INT, item STRING, n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 'orders', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE payments (order_id BIGINT, amount INT)
WITH ('connector' = 'kafka', 'topic' = 'payments', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE items (item STRING, maker STRING, PRIMARY KEY (item) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'items', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE paid (id INT, n INT) WITH ('connector' = 'kafka', 'topic' = 'paid', 'format' = 'json');
CREATE TABLE known (id INT, item STRING, n BIGINT, PRIMARY KEY (id, item) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'known', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE unknown (item STRING, n BIGINT, PRIMARY KEY (item) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'unknown', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE unpaid (id INT, n BIGINT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'unpaid', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE overpaid (id INT, n BIGINT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'overpaid', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE underpaid (id INT, n BIGINT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'underpaid', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE sold (item STRING, maker STRING, PRIMARY KEY (item) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'sold', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE unsold (item STRING, maker STRING, PRIMARY KEY (item) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'unsold', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE often (id INT, n BIGINT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'often', 'key.format' = 'json', 'value.format' = 'json');

EXECUTE STATEMENT SET BEGIN
-- Rows that only come on both sides: what has met one has met it for ever. Nulls and duplicates on both.
INSERT INTO paid SELECT id, n FROM orders WHERE id IN (SELECT order_id FROM payments WHERE amount > 5) AND n > 1;
-- Against rows that are updated and deleted.
INSERT INTO known SELECT id, item, COUNT(*) FROM orders WHERE item IN (SELECT item FROM items WHERE maker <> 'zed') AND id IS NOT NULL GROUP BY id, item;
INSERT INTO unknown SELECT COALESCE(item, '-'), COUNT(*) FROM orders AS o WHERE NOT EXISTS (SELECT 1 FROM items AS i WHERE i.item = o.item) GROUP BY COALESCE(item, '-');
INSERT INTO unpaid SELECT id, COUNT(*) FROM orders WHERE id IS NOT NULL AND id NOT IN (SELECT order_id FROM payments WHERE order_id IS NOT NULL) GROUP BY id;
-- With a condition beside.
INSERT INTO overpaid SELECT id, COUNT(*) FROM orders AS o WHERE EXISTS (SELECT * FROM payments AS p WHERE p.order_id = o.id AND p.amount > o.n * 10) GROUP BY id;
INSERT INTO underpaid SELECT COALESCE(id, -1), COUNT(*) FROM orders AS o WHERE NOT EXISTS (SELECT * FROM payments AS p WHERE p.order_id = o.id AND p.amount > o.n * 10) GROUP BY COALESCE(id, -1);
-- The rows of an upsert table, on its key and on another column.
INSERT INTO sold SELECT item, maker FROM items WHERE item IN (SELECT item FROM orders);
INSERT INTO unsold SELECT item, maker FROM items AS i WHERE NOT EXISTS (SELECT 1 FROM items AS j WHERE j.maker = i.maker AND j.item <> i.item);
-- Groups that may come to be too few.
INSERT INTO often SELECT id, SUM(n) FROM orders WHERE id IN (SELECT o.id FROM orders AS o GROUP BY o.id HAVING COUNT(*) > 1) GROUP BY id;
END;

-- rows of orders
{"id": 1, "item": "a", "n": 1, "ts": "2023-01-01 00:00:01"}
{"id": 2, "item": "b", "n": 2, "ts": "2023-01-01 00:00:02"}
{"id": 3, "item": null, "n": 3, "ts": "2023-01-01 00:00:03"}
{"id": null, "item": "c", "n": 4, "ts": "2023-01-01 00:00:04"}
{"id": 1, "item": "d", "n": 5, "ts": "2023-01-01 00:00:05"}
{"id": 4, "item": "a", "n": 6, "ts": "2023-01-01 00:00:06"}
{"id": 2, "item": "b", "n": 2, "ts": "2023-01-01 00:00:02"}

-- rows of payments
{"order_id": 1, "amount": 7}
{"order_id": 2, "amount": 3}
{"order_id": 2, "amount": 30}
{"order_id": null, "amount": 9}
{"order_id": 1, "amount": 60}
{"order_id": 1, "amount": 7}
{"order_id": 9, "amount": 90}

-- rows of items
{"item": "a", "maker": "abe"}
{"item": "b", "maker": "abe"}
{"item": "c", "maker": "zed"}
{"item": "e", "maker": "eva"}
{"item": "b", "maker": "zed"}
{"item": "d", "maker": "dan"}
- {"item": "d"}
{"item": "c", "maker": "cid"}

-- answer of paid
{"id": 1, "n": 5}
{"id": 2, "n": 2}
{"id": 2, "n": 2}

-- answer of known
{"id": 1, "item": "a", "n": 1}
{"id": 4, "item": "a", "n": 1}

-- answer of unknown
{"item": "-", "n": 1}
{"item": "d", "n": 1}

-- answer of unpaid
{"id": 3, "n": 1}
{"id": 4, "n": 1}

-- answer of overpaid
{"id": 1, "n": 2}
{"id": 2, "n": 2}

-- answer of underpaid
{"id": -1, "n": 1}
{"id": 3, "n": 1}
{"id": 4, "n": 1}

-- answer of sold
{"item": "a", "maker": "abe"}
{"item": "b", "maker": "zed"}
{"item": "c", "maker": "cid"}

-- answer of unsold
{"item": "a", "maker": "abe"}
{"item": "b", "maker": "zed"}
{"item": "c", "maker": "cid"}
{"item": "e", "maker": "eva"}

-- answer of often
{"id": 1, "n": 6}
{"id": 2, "n": 4}
