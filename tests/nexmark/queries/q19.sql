-- The ten highest bids on each auction.
-- columns: auction, bidder, price, channel, url, dateTime, extra, nth
SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS nth FROM bid
)
WHERE nth <= 10
