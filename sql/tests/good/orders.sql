-- What a file of a job looks like: größer as it may get.
SET 'pipeline.name' = 'orders-by-minute';
SET 'millstream.commit-interval' = '200 ms';
SET 'millstream.checkpoint-bytes' = '64 mb';
SET 'table.local-time-zone' = 'utc';

CREATE TEMPORARY TABLE IF NOT EXISTS orders (
  order_id BIGINT NOT NULL COMMENT 'it''s unique',
  `user id` STRING,
  price DECIMAL(10, 2),
  lines ARRAY<ROW<item STRING, count INT NOT NULL, tags ARRAY<ARRAY<STRING>>>>,
  attributes MAP<STRING, MAP<STRING, INT>>,
  place ROW(lat DOUBLE PRECISION, lon DOUBLE),
  total AS COALESCE(price, 0) * 2 COMMENT 'computed',
  ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `offset` BIGINT NOT NULL METADATA VIRTUAL,
  headers MAP<STRING, BYTES> METADATA,
  WATERMARK FOR ts AS ts - INTERVAL '0.5' SECOND
) COMMENT 'orders' WITH (
  'connector' = 'kafka',
  'topic' = 'orders-a; orders-b',
  'properties.bootstrap.servers' = 'one:9092,two:9092',
  'properties.group.id' = 'readers',
  'properties.security.protocol' = 'SASL_SSL',
  'scan.startup.mode' = 'timestamp',
  'scan.startup.timestamp-millis' = '1700000000000',
  'scan.bounded.mode' = 'latest-offset',
  'scan.bad-records' = 'skip',
  'scan.late-records' = 'fail',
  'scan.watermark.idle-timeout' = '1 min',
  'sink.delivery-guarantee' = 'exactly-once',
  'key.format' = 'raw',
  'key.fields' = 'order_id',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.fields-include' = 'ALL'
);

CREATE TABLE totals (
  `user id` STRING,
  day DATE,
  total DECIMAL(20, 2),
  at_time TIME(3),
  created TIMESTAMP(6) WITH LOCAL TIME ZONE,
  PRIMARY KEY (`user id`, day) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'totals', 'key.format' = 'json', 'value.format' = 'csv',
  'value.csv.field-delimiter' = '|', 'value.fields-include' = 'EXCEPT_KEY'
);

CREATE TABLE clicks (k_id INT, ts TIMESTAMP(3), url VARCHAR(200), WATERMARK FOR ts AS ts) WITH (
  'connector' = 'kafka', 'topic' = 'clicks', 'key.format' = 'json', 'key.fields' = 'k_id', 'key.fields-prefix' = 'k_',
  'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY', 'scan.startup.mode' = 'specific-offsets',
  'scan.startup.specific-offsets' = 'partition:0,offset:42;partition:1,offset:300;', 'sink.partitioner' = 'default'
);

CREATE TABLE shown (a INT PRIMARY KEY NOT ENFORCED, b BYTES)
WITH ('connector' = 'print', 'print-identifier' = 'it', 'standard-error' = 'true');

CREATE TABLE nothing (a INT) WITH ('connector' = 'blackhole');

CREATE TEMPORARY VIEW big (id, price) AS
  SELECT order_id, price FROM orders /* not; a hint */ WHERE `user id` <> ';' -- or this;
;

INSERT INTO totals (`user id`, day) (SELECT 'a', DATE '2024-01-01');

EXECUTE STATEMENT SET BEGIN
  INSERT INTO shown VALUES (1, x'00');
  INSERT INTO nothing SELECT c.k_id FROM clicks AS c JOIN totals FOR SYSTEM_TIME AS OF c.ts AS t ON c.url = t.`user id`;
END;

BEGIN STATEMENT SET;
INSERT INTO nothing WITH x AS (SELECT 1) SELECT * FROM x;
END;

EXPLAIN SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY 1;
EXPLAIN PLAN FOR INSERT INTO nothing SELECT 1;
EXPLAIN STATEMENT SET BEGIN INSERT INTO nothing SELECT 1; END
