-- misspelt
CRATE TABLE a (id INT) WITH ('connector' = 'kafka');

-- a query alone
SELECT * FROM a;

-- what changes the catalog
ALTER TABLE a ADD b INT;
DROP TABLE a;
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
EXPLAIN CHANGELOG_MODE SELECT 1;
EXPLAIN;

-- views
CREATE VIEW v SELECT 1;
CREATE OR REPLACE VIEW v AS SELECT 1;
CREATE VIEW w AS SELECT 1;
CREATE VIEW w AS SELECT 2;

-- a stray end
END;

-- an empty set
EXECUTE STATEMENT SET BEGIN END;

-- a number
42;

-- the file ends inside of a set
EXECUTE STATEMENT SET BEGIN
  INSERT INTO a SELECT 1;
