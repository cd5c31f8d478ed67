-- The average price that auctions of each category close at.
-- columns: category, final
SELECT closed.category, AVG(closed.final) AS final
FROM (
  SELECT MAX(offer.price) AS final, sold.category
  FROM auction AS sold, bid AS offer
  WHERE sold.id = offer.auction AND offer.`dateTime` BETWEEN sold.`dateTime` AND sold.expires
  GROUP BY sold.id, sold.category
) AS closed
GROUP BY closed.category
