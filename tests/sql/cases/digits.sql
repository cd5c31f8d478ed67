-- Times with digits that Arrow's units do not say, texts with a length, and a FLOAT beside other numbers.
CREATE TABLE t (id INT, a TIMESTAMP(1), b TIMESTAMP(0), c TIMESTAMP(7), d TIMESTAMP_LTZ(2), e TIME(3), s STRING, arr ARRAY<TIMESTAMP(1)>, rw ROW<x TIMESTAMP(1), y TIMESTAMP(4)>, f FLOAT, g DOUBLE, dc DECIMAL(10, 2))
WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE texts (id INT, a STRING, b STRING, c STRING, d STRING, e STRING, arr STRING, rw STRING, x STRING, item STRING)
WITH ('connector' = 'kafka', 'topic' = 'texts', 'format' = 'json');
CREATE TABLE chosen (id INT, a STRING, b STRING, c STRING, d STRING, e STRING, f STRING)
WITH ('connector' = 'kafka', 'topic' = 'chosen', 'format' = 'json');
CREATE TABLE moved (id INT, a STRING, b STRING, c STRING, d STRING, e STRING, f STRING, g STRING)
WITH ('connector' = 'kafka', 'topic' = 'moved', 'format' = 'json');
CREATE TABLE made (id INT, a STRING, b STRING, c STRING, d STRING, e STRING)
WITH ('connector' = 'kafka', 'topic' = 'made', 'format' = 'json');
CREATE TABLE united (x STRING)
WITH ('connector' = 'kafka', 'topic' = 'united', 'format' = 'json');
CREATE TABLE most (k STRING, a STRING, b STRING, c STRING, d STRING, e STRING, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'most', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE cut (id INT, a TIMESTAMP(1), b TIMESTAMP(0), vc VARCHAR(3), ch CHAR(3), less CHAR(2), more CHAR(8), t4 TIMESTAMP(4))
WITH ('connector' = 'kafka', 'topic' = 'cut', 'format' = 'json');
CREATE TABLE numbers (id INT, a DOUBLE, b DOUBLE, c DOUBLE, d DOUBLE, e DOUBLE, f DOUBLE, g DOUBLE, h DOUBLE, i DOUBLE, j DOUBLE)
WITH ('connector' = 'kafka', 'topic' = 'numbers', 'format' = 'json');
CREATE VIEW v AS SELECT id, CASE WHEN id = 1 THEN a ELSE b END AS x, COALESCE(a, c) AS y, s FROM t;

EXECUTE STATEMENT SET BEGIN
INSERT INTO texts SELECT id, CAST(a AS STRING), CAST(b AS STRING), CAST(c AS STRING), CAST(d AS STRING), CAST(e AS STRING), CAST(arr AS STRING), CAST(rw AS STRING), CAST(rw.x AS STRING), CAST(arr[1] AS STRING) FROM t;
INSERT INTO chosen SELECT id, CAST(CASE WHEN id = 1 THEN a ELSE c END AS STRING), CAST(COALESCE(a, b) AS STRING), CAST(IF(id = 1, b, a) AS STRING), CAST(NULLIF(b, TIMESTAMP '2024-01-01 10:00:00') AS STRING), CAST(x AS STRING), CAST(y AS STRING) FROM (SELECT t.*, v.x, v.y FROM t JOIN v ON t.id = v.id);
INSERT INTO moved SELECT id, CAST(a + INTERVAL '1' SECOND AS STRING), CAST(b - INTERVAL '1' DAY AS STRING), CAST(TIMESTAMPADD(SECOND, 1, c) AS STRING), CAST(FLOOR(a TO SECOND) AS STRING), CAST(CEIL(b TO DAY) AS STRING), CAST(GREATEST(a, b) AS STRING), CAST(LEAST(b, c) AS STRING) FROM t;
INSERT INTO made SELECT id, CAST(ARRAY[a, b] AS STRING), CAST(ROW(a, b, c) AS STRING), CAST(MAP['k', a] AS STRING), CAST(CAST(a AS TIMESTAMP(6)) AS STRING), CAST(CAST(c AS TIMESTAMP(5)) AS STRING) FROM t;
INSERT INTO united SELECT CAST(x AS STRING) FROM (SELECT a AS x FROM t UNION ALL SELECT b FROM t);
INSERT INTO most SELECT 'all', CAST(MAX(a) AS STRING), CAST(MIN(b) AS STRING), CAST(MAX(c) AS STRING), CAST(MAX(d) AS STRING), CAST(MAX(e) AS STRING) FROM t;
INSERT INTO cut SELECT id, CAST(c AS TIMESTAMP(3)), a, s, CAST(s AS CHAR(3)), CAST(s AS CHAR(3)), CAST(s AS CHAR(3)), CAST(c AS TIMESTAMP(6)) FROM t;
INSERT INTO numbers SELECT id, CASE WHEN id = 1 THEN f ELSE g END, CASE WHEN id = 1 THEN g ELSE f END, COALESCE(f, g), COALESCE(g, f), IF(id = 1, f, g), IFNULL(f, g), CASE WHEN id = 1 THEN f ELSE dc END, COALESCE(f, dc), COALESCE(dc, f), CASE WHEN id = 1 THEN f WHEN id = 2 THEN id ELSE g END FROM t;
END;

-- rows of t
{"id": 1, "a": "2024-01-01 10:00:00.1", "b": "2024-01-01 10:00:00", "c": "2024-01-01 10:00:00.1234567", "d": "2024-01-01 10:00:00.12Z", "e": "10:00:00.12", "s": "abcdef", "arr": ["2024-01-01 10:00:00.1"], "rw": {"x": "2024-01-01 10:00:00.1", "y": "2024-01-01 10:00:00.1234"}, "f": 1.1, "g": 2.2, "dc": 3.35}
{"id": 2, "a": "2024-01-01 10:00:01", "b": "2024-01-01 10:00:01", "c": "2024-01-01 10:00:01", "d": "2024-01-01 10:00:01Z", "e": "10:00:01", "s": "a", "arr": ["2024-01-01 10:00:01"], "rw": {"x": "2024-01-01 10:00:01", "y": "2024-01-01 10:00:01"}, "f": 1.1, "g": 2.2, "dc": 3.35}
{"id": 3, "f": null, "g": 2.2, "dc": null}

-- answer of texts
{"id":1,"a":"2024-01-01 10:00:00.1","b":"2024-01-01 10:00:00","c":"2024-01-01 10:00:00.1234567","d":"2024-01-01 10:00:00.12","e":"10:00:00.12","arr":"[2024-01-01 10:00:00.1]","rw":"(2024-01-01 10:00:00.1, 2024-01-01 10:00:00.1234)","x":"2024-01-01 10:00:00.1","item":"2024-01-01 10:00:00.1"}
{"id":2,"a":"2024-01-01 10:00:01.0","b":"2024-01-01 10:00:01","c":"2024-01-01 10:00:01.0000000","d":"2024-01-01 10:00:01.00","e":"10:00:01.0","arr":"[2024-01-01 10:00:01.0]","rw":"(2024-01-01 10:00:01.0, 2024-01-01 10:00:01.0000)","x":"2024-01-01 10:00:01.0","item":"2024-01-01 10:00:01.0"}
{"id":3,"a":null,"b":null,"c":null,"d":null,"e":null,"arr":null,"rw":null,"x":null,"item":null}

-- answer of chosen
{"id":1,"a":"2024-01-01 10:00:00.1000000","b":"2024-01-01 10:00:00.1","c":"2024-01-01 10:00:00","d":null,"e":"2024-01-01 10:00:00.1","f":"2024-01-01 10:00:00.1000000"}
{"id":2,"a":"2024-01-01 10:00:01.0000000","b":"2024-01-01 10:00:01.0","c":"2024-01-01 10:00:01","d":"2024-01-01 10:00:01","e":"2024-01-01 10:00:01.0","f":"2024-01-01 10:00:01.0000000"}
{"id":3,"a":null,"b":null,"c":null,"d":null,"e":null,"f":null}

-- answer of moved
{"id":1,"a":"2024-01-01 10:00:01.1","b":"2023-12-31 10:00:00","c":"2024-01-01 10:00:01.1234567","d":"2024-01-01 10:00:00.0","e":"2024-01-02 00:00:00","f":"2024-01-01 10:00:00.1","g":"2024-01-01 10:00:00.0000000"}
{"id":2,"a":"2024-01-01 10:00:02.0","b":"2023-12-31 10:00:01","c":"2024-01-01 10:00:02.0000000","d":"2024-01-01 10:00:01.0","e":"2024-01-02 00:00:00","f":"2024-01-01 10:00:01.0","g":"2024-01-01 10:00:01.0000000"}
{"id":3,"a":null,"b":null,"c":null,"d":null,"e":null,"f":null,"g":null}

-- answer of made
{"id":1,"a":"[2024-01-01 10:00:00.1, 2024-01-01 10:00:00.0]","b":"(2024-01-01 10:00:00.1, 2024-01-01 10:00:00, 2024-01-01 10:00:00.1234567)","c":"{k=2024-01-01 10:00:00.1}","d":"2024-01-01 10:00:00.100000","e":"2024-01-01 10:00:00.12345"}
{"id":2,"a":"[2024-01-01 10:00:01.0, 2024-01-01 10:00:01.0]","b":"(2024-01-01 10:00:01.0, 2024-01-01 10:00:01, 2024-01-01 10:00:01.0000000)","c":"{k=2024-01-01 10:00:01.0}","d":"2024-01-01 10:00:01.000000","e":"2024-01-01 10:00:01.00000"}
{"id":3,"a":"[NULL, NULL]","b":"(NULL, NULL, NULL)","c":"{k=NULL}","d":null,"e":null}

-- answer of united
{"x":"2024-01-01 10:00:00.1"}
{"x":"2024-01-01 10:00:01.0"}
{"x":null}
{"x":"2024-01-01 10:00:00.0"}
{"x":"2024-01-01 10:00:01.0"}
{"x":null}

-- answer of most
{"k":"all","a":"2024-01-01 10:00:01.0","b":"2024-01-01 10:00:00","c":"2024-01-01 10:00:01.0000000","d":"2024-01-01 10:00:01.00","e":"10:00:01.0"}

-- answer of cut
{"id":1,"a":"2024-01-01 10:00:00.1","b":"2024-01-01 10:00:00","vc":"abc","ch":"abc","less":"ab","more":"abc     ","t4":"2024-01-01 10:00:00.1234"}
{"id":2,"a":"2024-01-01 10:00:01","b":"2024-01-01 10:00:01","vc":"a","ch":"a  ","less":"a ","more":"a       ","t4":"2024-01-01 10:00:01"}
{"id":3,"a":null,"b":null,"vc":null,"ch":null,"less":null,"more":null,"t4":null}

-- answer of numbers
{"id":1,"a":1.100000023841858,"b":2.2,"c":1.100000023841858,"d":2.2,"e":1.100000023841858,"f":1.100000023841858,"g":1.100000023841858,"h":1.100000023841858,"i":3.3499999046325684,"j":1.100000023841858}
{"id":2,"a":2.200000047683716,"b":1.100000023841858,"c":1.100000023841858,"d":2.2,"e":2.200000047683716,"f":1.100000023841858,"g":3.35,"h":1.100000023841858,"i":3.3499999046325684,"j":2.0}
{"id":3,"a":2.200000047683716,"b":null,"c":2.2,"d":2.2,"e":2.200000047683716,"f":2.2,"g":null,"h":null,"i":null,"j":2.200000047683716}
