-- The bid that wins each auction.
-- columns: id, itemName, seller, category, auction, bidder, price, bid_time, bid_extra
SELECT id, itemName, seller, category, auction, bidder, price, bid_time, bid_extra
FROM (
  SELECT sold.*, offer.auction, offer.bidder, offer.price, offer.`dateTime` AS bid_time, offer.extra AS bid_extra,
    ROW_NUMBER() OVER (PARTITION BY sold.id ORDER BY offer.price DESC, offer.`dateTime` ASC) AS nth
  FROM auction AS sold, bid AS offer
  WHERE sold.id = offer.auction AND offer.`dateTime` BETWEEN sold.`dateTime` AND sold.expires
)
WHERE nth <= 1
