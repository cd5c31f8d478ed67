-- Bids on some auctions.
-- columns: auction, price
SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0
