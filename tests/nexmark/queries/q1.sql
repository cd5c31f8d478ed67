-- Bids in another currency.
-- columns: auction, bidder, price, dateTime, extra
SELECT auction, bidder, 0.908 * price AS price, `dateTime`, extra FROM bid
