-- primary keys
CREATE TABLE a (id INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json');
CREATE TABLE b (id INT) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'b', 'key.format' = 'json', 'value.format' = 'json'
);
CREATE TABLE c (user_id INT, b AS 1, PRIMARY KEY (usr_id, user_id, user_id, b) NOT ENFORCED)
WITH ('connector' = 'blackhole');

-- metadata
CREATE TABLE d (
  a INT,
  ts TIMESTAMP(3) METADATA FROM 'timestamp',
  p BIGINT METADATA FROM 'partition',
  l INT NOT NULL METADATA FROM 'leader-epoch',
  h STRING METADATA FROM 'header',
  partitions INT METADATA,
  x STRING METADATA FROM 'value.schema'
) WITH ('connector' = 'kafka', 'topic' = 'd', 'format' = 'json');

-- watermarks on other columns
CREATE TABLE e (at_ms BIGINT, WATERMARK FOR at_ms AS at_ms) WITH ('connector' = 'blackhole');
CREATE TABLE f (ts STRING, WATERMARK FOR ts AS ts) WITH ('connector' = 'blackhole');
CREATE TABLE g (ts TIMESTAMP(3), WATERMARK FOR tz AS tz) WITH ('connector' = 'blackhole');
CREATE TABLE h (ts TIMESTAMP(3), t2 TIMESTAMP(3), WATERMARK FOR ts AS ts, WATERMARK FOR t2 AS t2)
WITH ('connector' = 'blackhole');

-- watermarks computed otherwise
CREATE TABLE i (ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' MONTH) WITH ('connector' = 'blackhole');
CREATE TABLE j (ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '-1' SECOND) WITH ('connector' = 'blackhole');
CREATE TABLE k (ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '0.0005' SECOND) WITH ('connector' = 'blackhole');
CREATE TABLE l (ts TIMESTAMP(3), WATERMARK FOR ts AS ts + INTERVAL '1' SECOND) WITH ('connector' = 'blackhole');
CREATE TABLE m (ts TIMESTAMP(3), WATERMARK FOR ts AS CURRENT_WATERMARK(ts)) WITH ('connector' = 'blackhole');
CREATE TABLE n (ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1:30' MINUTE TO SECOND)
WITH ('connector' = 'blackhole');
