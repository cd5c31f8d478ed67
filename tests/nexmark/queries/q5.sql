-- The auctions with the most bids of the last ten seconds, every two seconds.
-- columns: auction, num
SELECT counted.auction, counted.num
FROM (
  SELECT auction, COUNT(*) AS num, window_start AS since, window_end AS until
  FROM TABLE(HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
  GROUP BY auction, window_start, window_end
) AS counted
JOIN (
  SELECT MAX(per_auction.num) AS most, per_auction.since, per_auction.until
  FROM (
    SELECT COUNT(*) AS num, window_start AS since, window_end AS until
    FROM TABLE(HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
    GROUP BY auction, window_start, window_end
  ) AS per_auction
  GROUP BY per_auction.since, per_auction.until
) AS top
ON counted.since = top.since AND counted.until = top.until AND counted.num >= top.most
