-- The auctions with the most bids of the last ten seconds, every two seconds.
-- columns: auction, num
SELECT counted.auction, counted.num
FROM (
  SELECT auction, COUNT(*) AS num, window_start AS since, window_end AS until
  FROM TABLE(HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
  GROUP BY auction, window_start, window_end
) AS counted
JOIN (
  SELECT MAX(each.num) AS most, each.since, each.until
  FROM (
    SELECT COUNT(*) AS num, window_start AS since, window_end AS until
    FROM TABLE(HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
    GROUP BY auction, window_start, window_end
  ) AS each
  GROUP BY each.since, each.until
) AS top
ON counted.since = top.since AND counted.until = top.until AND counted.num >= top.most
