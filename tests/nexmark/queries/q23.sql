-- Bids with their bidder, and what the bidder sells.
-- columns: bidder, price, channel, person_id, name, city, itemName, seller, category
SELECT offer.bidder, offer.price, offer.channel, who.id AS person_id, who.name, who.city,
  sold.itemName, sold.seller, sold.category
FROM bid AS offer
JOIN person AS who ON who.id = offer.bidder
JOIN auction AS sold ON sold.seller = offer.bidder
