-- Who came and sold something within the same ten seconds.
-- columns: id, name, since
SELECT came.id, came.name, came.since
FROM (
  SELECT id, name, window_start AS since, window_end AS until
  FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
  GROUP BY id, name, window_start, window_end
) AS came
JOIN (
  SELECT seller, window_start AS since, window_end AS until
  FROM TABLE(TUMBLE(TABLE auction, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
  GROUP BY seller, window_start, window_end
) AS sold
ON came.id = sold.seller AND came.since = sold.since AND came.until = sold.until
