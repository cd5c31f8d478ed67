-- New York's flights of 2013: how every hour went at each airport in its weather, and how each carrier did.
--
-- Flights come in the order in which they really left. Windows and joins go by schedule time, which is then out of
-- order, by up to 22 hours: the watermark waits for 24.

CREATE TABLE flights (
  origin     STRING NOT NULL,
  carrier    STRING,
  dep_time   INT,                 -- null: cancelled
  dep_delay  INT,                 -- minutes
  scheduled  TIMESTAMP_LTZ(3),
  WATERMARK FOR scheduled AS scheduled - INTERVAL '24' HOUR
) WITH (
  'connector' = 'kafka',
  'topic' = 'flights',
  'key.format' = 'raw',
  'key.fields' = 'origin',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset'
);

-- What is known of an airport's weather, hour after hour: each record replaces the one before it.
CREATE TABLE weather (
  origin      STRING,
  temp        DOUBLE,             -- degrees Fahrenheit
  wind_speed  DOUBLE,             -- miles per hour
  precip      DOUBLE,             -- inches
  visib       DOUBLE,             -- miles
  time_hour   TIMESTAMP_LTZ(3),
  PRIMARY KEY (origin) NOT ENFORCED,
  WATERMARK FOR time_hour AS time_hour
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'weather',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'scan.bounded.mode' = 'latest-offset'
);

CREATE TABLE airlines (
  carrier  STRING,
  name     STRING,
  since    TIMESTAMP_LTZ(3),
  PRIMARY KEY (carrier) NOT ENFORCED,
  WATERMARK FOR since AS since
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'airlines',
  'key.format' = 'raw',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'scan.bounded.mode' = 'latest-offset'
);

CREATE TABLE hourly (
  origin           STRING,
  hour_start       TIMESTAMP(3),
  flights          BIGINT,
  cancelled_share  DOUBLE,
  average_delay    DOUBLE,
  worst_delay      INT,
  temp             DOUBLE,
  wind_speed       DOUBLE,
  precip           DOUBLE,
  visib            DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'hourly',
  'key.format' = 'raw',
  'key.fields' = 'origin',
  'value.format' = 'json'
);

CREATE TABLE carriers (
  carrier        STRING,
  name           STRING,
  flights        BIGINT,
  average_delay  DOUBLE,
  PRIMARY KEY (carrier) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'carriers',
  'key.format' = 'raw',
  'value.format' = 'json'
);

CREATE VIEW per_hour AS
SELECT origin, window_start, window_end, window_time,
       COUNT(*) AS flights,
       COUNT(*) FILTER (WHERE dep_time IS NULL) AS cancelled,
       AVG(CAST(dep_delay AS DOUBLE)) AS average_delay,
       MAX(dep_delay) AS worst_delay
FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(scheduled), INTERVAL '1' HOUR))
GROUP BY origin, window_start, window_end, window_time;

EXECUTE STATEMENT SET BEGIN

INSERT INTO hourly
SELECT h.origin, h.window_start, h.flights,
       CAST(h.cancelled AS DOUBLE) / h.flights,
       h.average_delay, h.worst_delay,
       w.temp, w.wind_speed, w.precip, w.visib
FROM per_hour AS h
LEFT JOIN weather FOR SYSTEM_TIME AS OF h.window_time AS w ON h.origin = w.origin;

INSERT INTO carriers
SELECT f.carrier, LAST_VALUE(a.name), COUNT(*), AVG(CAST(f.dep_delay AS DOUBLE))
FROM flights AS f
LEFT JOIN airlines FOR SYSTEM_TIME AS OF f.scheduled AS a ON f.carrier = a.carrier
GROUP BY f.carrier;

END;

-- @test an hour at an airport is told in its weather, once it is over
-- INPUT weather
--   JFK => {"origin": "JFK", "temp": 39.0, "wind_speed": 10.4, "precip": 0.0, "visib": 10.0, "time_hour": "2013-01-01T10:00:00Z"}
--   JFK => {"origin": "JFK", "temp": 41.0, "wind_speed": 12.7, "precip": 0.1, "visib": 6.0, "time_hour": "2013-01-01T11:00:00Z"}
-- INPUT flights
--   JFK => {"origin": "JFK", "carrier": "B6", "dep_time": 540, "dep_delay": 2, "scheduled": "2013-01-01T10:40:00Z"}
--   JFK => {"origin": "JFK", "carrier": "AA", "scheduled": "2013-01-01T10:50:00Z"}
--   JFK => {"origin": "JFK", "carrier": "B6", "dep_time": 610, "dep_delay": 10, "scheduled": "2013-01-01T11:00:00Z"}
-- ADVANCE TO '2013-01-01 10:59:00'
-- EXPECT hourly
-- CRASH
-- ADVANCE TO '2013-01-01 11:30:00'
-- EXPECT hourly
--   JFK => {"origin": "JFK", "hour_start": "2013-01-01 10:00:00", "flights": 2, "cancelled_share": 0.5, "average_delay": 2.0, "worst_delay": 2, "temp": 39.0, "wind_speed": 10.4, "precip": 0.0, "visib": 10.0}
--
-- @test a carrier's flights are counted under the name that it had
-- INPUT airlines
--   B6 => {"carrier": "B6", "name": "JetBlue Airways", "since": "2000-01-01T00:00:00Z"}
-- ADVANCE TO '2013-01-01 00:00:00'
-- INPUT flights
--   JFK => {"origin": "JFK", "carrier": "B6", "dep_time": 540, "dep_delay": 2, "scheduled": "2013-01-01T10:40:00Z"}
--   JFK => {"origin": "JFK", "carrier": "B6", "dep_time": 610, "dep_delay": 10, "scheduled": "2013-01-01T11:00:00Z"}
-- ADVANCE TO '2013-01-02 00:00:00'
-- EXPECT TABLE carriers
--   B6 => {"carrier": "B6", "name": "JetBlue Airways", "flights": 2, "average_delay": 6.0}
