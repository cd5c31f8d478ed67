-- unknown options of a table
CREATE TABLE a (id INT) WITH (
  'connector' = 'kafka',
  'topic' = 'a',
  'format' = 'json',
  'scan.startup.modus' = 'earliest-offset',
  'json.fail-on-mising-field' = 'true',
  'value.json.ignore-parse-errors' = 'true',
  'frobnicate' = 'yes'
);

-- values they can't have
CREATE TABLE b (id INT) WITH (
  'connector' = 'kafka',
  'topic' = 'b c;d',
  'format' = 'json',
  'json.ignore-parse-errors' = 'yes',
  'json.map-null-key.mode' = 'EXPLODE',
  'scan.startup.mode' = 'earliest',
  'scan.bounded.mode' = 'timestamp',
  'scan.bad-records' = 'dlq',
  'sink.partitioner' = 'fxed',
  'sink.delivery-guarantee' = 'at-least-once',
  'properties.group.id' = ''
);

-- options that can't be set
CREATE TABLE c (id INT) WITH (
  'connector' = 'kafka',
  'topic-pattern' = 'c.*',
  'format' = 'json',
  'sink.parallelism' = '2',
  'scan.topic-partition-discovery.interval' = 'soon',
  'sink.transactional-id-prefix' = 'x',
  'scan.watermark.alignment.group' = 'g',
  'properties.isolation.level' = 'read_uncommitted',
  'properties.linger.sm' = '5',
  'properties.plugin.library.paths' = '/tmp/x.so'
);

-- options that are missing
CREATE TABLE d (id INT);
CREATE TABLE e (id INT) WITH ('connector' = 'kafka');
CREATE TABLE f (id INT) WITH ('connector' = 'upsert-kafka', 'format' = 'json');

-- connectors and formats
CREATE TABLE g (id INT) WITH ('connector' = 'kafaka');
CREATE TABLE h (id INT) WITH ('connector' = 'jdbc', 'url' = 'x');
CREATE TABLE i (id INT) WITH ('connector' = 'kafka', 'topic' = 'i', 'format' = 'orc');
CREATE TABLE j (a INT, b INT) WITH ('connector' = 'kafka', 'topic' = 'j', 'format' = 'raw');
CREATE TABLE k (a INT, b MAP<INT, INT>) WITH ('connector' = 'kafka', 'topic' = 'k', 'format' = 'json');
CREATE TABLE k2 (a INT) WITH ('connector' = 'kafka', 'topic' = 'k', 'format' = 'json', 'value.format' = 'json');

-- offsets
CREATE TABLE l (a INT) WITH (
  'connector' = 'kafka', 'topic' = 'l;m', 'format' = 'json',
  'scan.startup.timestamp-millis' = '1',
  'scan.bounded.mode' = 'specific-offsets', 'scan.bounded.specific-offsets' = 'partition:0,offset:1'
);
CREATE TABLE m (a INT) WITH (
  'connector' = 'kafka', 'topic' = 'm', 'format' = 'json',
  'scan.startup.mode' = 'specific-offsets', 'scan.startup.specific-offsets' = 'partition:0,offset:1;partition:x',
  'scan.bounded.mode' = 'timestamp', 'scan.bounded.timestamp-millis' = 'tomorrow'
);

-- the key of records
CREATE TABLE n (a INT, b AS a) WITH (
  'connector' = 'kafka', 'topic' = 'n', 'value.format' = 'json', 'key.fields' = 'a'
);
CREATE TABLE o (abc INT, b AS abc) WITH (
  'connector' = 'kafka', 'topic' = 'o', 'value.format' = 'json', 'key.format' = 'json', 'key.fields' = 'acb;abc;b'
);
CREATE TABLE p (a INT) WITH ('connector' = 'kafka', 'topic' = 'p', 'value.format' = 'json', 'key.format' = 'json');
CREATE TABLE q (a INT, b INT) WITH (
  'connector' = 'kafka', 'topic' = 'q', 'value.format' = 'json', 'key.format' = 'json', 'key.fields' = 'a',
  'key.fields-prefix' = 'k_', 'value.fields-include' = 'EXCEPT_KEY'
);
CREATE TABLE r (a INT) WITH (
  'connector' = 'kafka', 'topic' = 'r', 'format' = 'json', 'value.fields-include' = 'EXCEPT_KEY'
);

-- options about time
CREATE TABLE s (a INT) WITH (
  'connector' = 'kafka', 'topic' = 's', 'format' = 'json', 'scan.watermark.idle-timeout' = '5 s'
);
CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (
  'connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'scan.watermark.idle-timeout' = '0 s',
  'scan.watermark.max-future' = '1 fortnight', 'scan.late-records' = 'drop'
);

-- upserts always start at the beginning
CREATE TABLE u (a INT PRIMARY KEY NOT ENFORCED, b INT) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'u', 'key.format' = 'json', 'value.format' = 'json',
  'scan.startup.mode' = 'earliest-offset', 'key.fields' = 'a', 'sink.buffer-flush.interval' = '1 s'
);

-- print has few options
CREATE TABLE v (a INT, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp') WITH (
  'connector' = 'print', 'print-identifer' = 'x', 'standard-error' = 'maybe', 'topic' = 'v'
);

-- What a format can't do is said by the format.
CREATE TABLE changes_as_key (k STRING, v INT) WITH ('connector' = 'kafka', 'topic' = 'c1', 'format' = 'json',
  'key.format' = 'debezium-json', 'key.fields' = 'k');
CREATE TABLE changes_by_key (k STRING, v INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'c2',
  'key.format' = 'json', 'value.format' = 'debezium-json');
CREATE TABLE changes_in_maps (k STRING, m MAP<INT, INT>) WITH ('connector' = 'kafka', 'topic' = 'c3', 'format' = 'debezium-json');
CREATE TABLE changes_misspelt (k STRING) WITH ('connector' = 'kafka', 'topic' = 'c4', 'format' = 'debezium-json',
  'debezium-json.schema-included' = 'true');
