-- How many bids each bidder made in one go, without ten seconds of silence.
-- columns: bidder, bids, since, until
SELECT offer.bidder, COUNT(*) AS bids,
  SESSION_START(offer.`dateTime`, INTERVAL '10' SECOND) AS since,
  SESSION_END(offer.`dateTime`, INTERVAL '10' SECOND) AS until
FROM bid AS offer
GROUP BY offer.bidder, SESSION(offer.`dateTime`, INTERVAL '10' SECOND)
