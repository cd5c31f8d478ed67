-- The highest bids of every ten seconds.
-- columns: auction, price, bidder, dateTime, extra
SELECT offer.auction, offer.price, offer.bidder, offer.`dateTime`, offer.extra
FROM bid AS offer
JOIN (
  SELECT MAX(price) AS highest, window_end AS closing
  FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end
) AS top ON offer.price = top.highest
WHERE offer.`dateTime` BETWEEN top.closing - INTERVAL '10' SECOND AND top.closing
