-- types
CREATE TABLE a (
  a TEXT,
  b STRNG,
  c DECIMAL(39, 2),
  d DECIMAL(5, 6),
  e TIMESTAMP(10),
  f TIMESTAMP(3) WITH TIME ZONE,
  g ARRAY<MAP<STRING, VARIANT>>,
  h ROW<a INT, a STRING>,
  i INTERVAL,
  j FROBNICATE,
  k ARRAY INT,
  l INT DEFAULT 5
) WITH ('connector' = 'blackhole');

-- keys
CREATE TABLE b (a INT, PRIMARY KEY (a)) WITH ('connector' = 'blackhole');
CREATE TABLE c (a INT PRIMARY KEY NOT ENFORCED, b INT, PRIMARY KEY (b) NOT ENFORCED, UNIQUE (a))
WITH ('connector' = 'blackhole');

-- columns
CREATE TABLE d (a INT, b STRING, a AS b || 'x', c AS, 5 INT, e) WITH ('connector' = 'blackhole');

-- watermarks
CREATE TABLE e (r ROW<ts TIMESTAMP(3)>, WATERMARK FOR r.ts AS r.ts, WATERMARK FOR x)
WITH ('connector' = 'blackhole');

-- clauses
CREATE TABLE f (a INT) PARTITIONED BY (a) WITH ('connector' = 'blackhole');

-- options
CREATE TABLE j (a INT) WITH (connector = 'kafka', 'topic' = a, 'format' 'json' 'x' = 'y', 'a' = 'b', 'a' = 'c',);

-- not closed
CREATE TABLE k (a INT WITH ('connector' = 'blackhole');
CREATE TABLE l (a INT) WITH ('connector' = 'blackhole';
CREATE TABLE m (a INT) WITH ('connector' = 'blackhole')
CREATE TABLE n (a INT);
