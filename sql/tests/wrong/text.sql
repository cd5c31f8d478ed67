-- a quote is missing
CREATE TABLE a (id INT) WITH (
  'connector' = 'kafka,
  'topic' = 'a;b'
);

-- read on behind it
SELECT 1;

-- a quote in the middle
INSERT INTO a SELECT 'it's';

-- double quotes: größer, früher
INSERT INTO a SELECT "Größe" FROM "b";

-- a hint
INSERT INTO a SELECT * FROM b /*+ OPTIONS('scan.startup.mode' = ) */;

-- a name has no end
INSERT INTO `a SELECT 1;

-- a comment has no end
INSERT INTO a /* SELECT 1;
