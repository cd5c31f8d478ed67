-- Every bid as it is: what reading and writing cost.
-- columns: auction, bidder, price, dateTime, extra
SELECT auction, bidder, price, `dateTime`, extra FROM bid
