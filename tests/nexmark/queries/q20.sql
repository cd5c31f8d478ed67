-- Bids with what they are on, in one category.
-- columns: auction, bidder, price, channel, url, bid_time, itemName, seller, category, opened
SELECT auction, bidder, price, channel, url, offer.`dateTime` AS bid_time,
  itemName, seller, category, sold.`dateTime` AS opened
FROM bid AS offer JOIN auction AS sold ON offer.auction = sold.id
WHERE sold.category = 10
