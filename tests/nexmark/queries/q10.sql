-- Bids with the day and the minute that they are filed under.
-- columns: auction, bidder, price, dateTime, extra, dt, hm
SELECT auction, bidder, price, `dateTime`, extra,
  DATE_FORMAT(`dateTime`, 'yyyy-MM-dd') AS dt, DATE_FORMAT(`dateTime`, 'HH:mm') AS hm
FROM bid
