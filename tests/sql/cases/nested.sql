CREATE TABLE events (
  kind INT,
  bid ROW<auction BIGINT, price BIGINT, extra STRING, place ROW<lat DOUBLE, lon DOUBLE>>,
  person ROW<id BIGINT, name STRING, `at` TIMESTAMP(3)>,
  half AS bid.price / 2
)
WITH ('connector' = 'kafka', 'topic' = 'events', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE bids (auction BIGINT, price BIGINT, lat DOUBLE, half BIGINT, rest BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'bids', 'format' = 'json');

CREATE TABLE people (id BIGINT, name STRING)
WITH ('connector' = 'kafka', 'topic' = 'people', 'format' = 'json');

CREATE TABLE best (auction BIGINT, price BIGINT, n BIGINT, PRIMARY KEY (auction) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'best', 'key.format' = 'json', 'value.format' = 'json');

CREATE VIEW bid AS SELECT bid.auction, events.bid.price, bid.place.lat, half FROM events WHERE kind = 2;

INSERT INTO bids SELECT auction, price, lat, half, MOD(price, 10) FROM bid WHERE MOD(auction, 2) = 1;
INSERT INTO people SELECT e.person.id, e.person.name FROM events AS e WHERE kind = 0;
INSERT INTO best SELECT auction, MAX(price), COUNT(*) FROM (SELECT bid.auction, bid.price FROM events WHERE kind = 2) AS b GROUP BY auction;

-- rows of events
{"kind":2,"person":null,"bid":{"auction":1,"price":17,"extra":"x","place":{"lat":1.5,"lon":2.5}},"half":8}
{"kind":0,"person":{"id":7,"name":"Ada","at":"2024-01-01 00:00:00"},"bid":null,"half":null}
{"kind":2,"person":null,"bid":{"auction":2,"price":5,"extra":"x","place":null},"half":2}
{"kind":2,"bid":{"auction":1,"price":3,"place":{"lon":2.5}},"half":1}
{"kind":0,"person":{"id":8,"at":"2024-01-01 00:00:00"},"bid":null,"half":null}
{"kind":2,"bid":{"auction":3,"price":null},"half":null}
{"kind":2,"bid":{"auction":2,"price":6},"half":3}
