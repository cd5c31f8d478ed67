-- The same by channel, with the minute of the last bid.
-- columns: channel, day, minute, bids, cheap, fair, dear, bidders, cheap_bidders, fair_bidders, dear_bidders, auctions, cheap_auctions, fair_auctions, dear_auctions
SELECT channel, DATE_FORMAT(`dateTime`, 'yyyy-MM-dd') AS `day`,
  MAX(DATE_FORMAT(`dateTime`, 'HH:mm')) AS `minute`,
  COUNT(*) AS bids,
  COUNT(*) FILTER (WHERE price < 10000) AS cheap,
  COUNT(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS fair,
  COUNT(*) FILTER (WHERE price >= 1000000) AS dear,
  COUNT(DISTINCT bidder) AS bidders,
  COUNT(DISTINCT bidder) FILTER (WHERE price < 10000) AS cheap_bidders,
  COUNT(DISTINCT bidder) FILTER (WHERE price >= 10000 AND price < 1000000) AS fair_bidders,
  COUNT(DISTINCT bidder) FILTER (WHERE price >= 1000000) AS dear_bidders,
  COUNT(DISTINCT auction) AS auctions,
  COUNT(DISTINCT auction) FILTER (WHERE price < 10000) AS cheap_auctions,
  COUNT(DISTINCT auction) FILTER (WHERE price >= 10000 AND price < 1000000) AS fair_auctions,
  COUNT(DISTINCT auction) FILTER (WHERE price >= 1000000) AS dear_auctions
FROM bid
GROUP BY channel, DATE_FORMAT(`dateTime`, 'yyyy-MM-dd')
