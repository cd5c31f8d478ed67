-- Nexmark's q4: the average winning bid of a category.
CREATE TABLE auction (id BIGINT, category BIGINT, date_time TIMESTAMP(3), expires TIMESTAMP(3), WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'auction', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE bid (auction BIGINT, price BIGINT, date_time TIMESTAMP(3), WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'bid', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE q4 (category BIGINT, final BIGINT, PRIMARY KEY (category) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'q4', 'key.format' = 'json', 'value.format' = 'json');

INSERT INTO q4
SELECT Q.category, AVG(Q.final)
FROM (
    SELECT MAX(B.price) AS final, A.category
    FROM auction A, bid B
    WHERE A.id = B.auction AND B.date_time BETWEEN A.date_time AND A.expires
    GROUP BY A.id, A.category
) Q
GROUP BY Q.category;

-- rows of auction
{"id":1,"category":10,"date_time":"2024-01-01 10:00:00","expires":"2024-01-01 10:00:10"}
{"id":2,"category":10,"date_time":"2024-01-01 10:00:01","expires":"2024-01-01 10:00:03"}
{"id":3,"category":11,"date_time":"2024-01-01 10:00:02","expires":"2024-01-01 10:00:20"}
{"id":4,"category":12,"date_time":"2024-01-01 10:00:02","expires":"2024-01-01 10:00:20"}
{"id":5,"category":11,"date_time":"2024-01-01 10:00:05","expires":"2024-01-01 10:00:06"}

-- rows of bid
{"auction":1,"price":100,"date_time":"2024-01-01 10:00:00"}
{"auction":1,"price":150,"date_time":"2024-01-01 10:00:05"}
{"auction":2,"price":70,"date_time":"2024-01-01 10:00:02"}
{"auction":2,"price":900,"date_time":"2024-01-01 10:00:04"}
{"auction":1,"price":130,"date_time":"2024-01-01 10:00:10"}
{"auction":3,"price":55,"date_time":"2024-01-01 10:00:11"}
{"auction":5,"price":45,"date_time":"2024-01-01 10:00:06"}
{"auction":5,"price":80,"date_time":"2024-01-01 10:00:04"}
{"auction":3,"price":51,"date_time":"2024-01-01 10:00:02"}
{"auction":9,"price":1,"date_time":"2024-01-01 10:00:03"}
