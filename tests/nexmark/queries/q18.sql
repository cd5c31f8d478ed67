-- The last bid of each bidder on each auction.
-- columns: auction, bidder, price, channel, url, dateTime, extra
SELECT auction, bidder, price, channel, url, `dateTime`, extra
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY `dateTime` DESC) AS nth FROM bid
)
WHERE nth <= 1
