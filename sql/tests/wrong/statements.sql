-- misspelt
CRATE TABLE a (id INT) WITH ('connector' = 'kafka');

-- a query alone
SELECT * FROM a;

-- what changes the catalog
ALTER DATABASE a SET ('b' = 'c');
DROP FUNCTION a;
ALTER TABLE a COMPACT;
ALTER TABLE a ADD PARTITION (x = 1);
DROP a;
CREATE FUNCTION f AS 'com.example.F';
CREATE CATALOG c WITH ('type' = 'hive');

-- rows that change
UPDATE a SET b = 1;
DELETE FROM a WHERE b = 1;
INSERT OVERWRITE a SELECT 1;

-- set without quotes
SET pipeline.name = demo;
SET 'pipeline.name' 'demo';

-- wrong inside of a set
EXECUTE STATEMENT SET BEGIN
  INSERT INTO a SELECT 1;
  INSRT INTO b SELECT 1;
  INSERT INTO c SELCT 1;
END;

-- not closed
INSERT INTO a SELECT (1 + (2) FROM b;

-- closed twice
INSERT INTO a SELECT 1) FROM b;

-- no semicolon
INSERT INTO a SELECT 1
INSERT INTO b SELECT 2;

-- no query
INSERT INTO a;

-- qualified
INSERT INTO c.d.a SELECT 1;

-- conflicts
INSERT INTO a SELECT 1 ON CONFLICT DO NOTHING;
INSERT INTO a PARTITION (x = 1) SELECT 1;

-- details
EXPLAIN CHANGELOG_MODE, ESTIMATED_COST SELECT 1;
EXPLAIN;

-- views
CREATE VIEW v SELECT 1;
CREATE OR REPLACE VIEW v AS SELECT 1;
CREATE VIEW w AS SELECT 1;
CREATE VIEW w AS SELECT 2;

-- hints
INSERT INTO a SELECT 1 FROM b /*+ OPTIONS('a' = 'b' 'c') */;
INSERT INTO a /*+ OPTIONS('a' = 'b' */ SELECT 1;
INSERT INTO a SELECT 1 FROM b /*+ */;
SET /*+ OPTIONS('a' = 'b') */ 'pipeline.name' = 'a';

-- what is shown
SHOW COLUMNS a;
SHOW TABLES FROM shop;
SHOW PARTITIONS a;
USE CATALOG hive;
DESCRIBE;

-- like
CREATE TABLE l LIKE a (INCLUDING EVERYTHING);
CREATE TABLE l LIKE a (OVERWRITING CONSTRAINTS);

-- a stray end
END;

-- an empty set
EXECUTE STATEMENT SET BEGIN END;

-- a number
42;

-- the file ends inside of a set
EXECUTE STATEMENT SET BEGIN
  INSERT INTO a SELECT 1;
