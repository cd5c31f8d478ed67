-- Each auction's bids of a day: how many, and at what prices.
-- columns: auction, day, bids, cheap, fair, dear, lowest, highest, average, total
SELECT auction, DATE_FORMAT(`dateTime`, 'yyyy-MM-dd') AS `day`,
  COUNT(*) AS bids,
  COUNT(*) FILTER (WHERE price < 10000) AS cheap,
  COUNT(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS fair,
  COUNT(*) FILTER (WHERE price >= 1000000) AS dear,
  MIN(price) AS lowest, MAX(price) AS highest, AVG(price) AS average, SUM(price) AS total
FROM bid
GROUP BY auction, DATE_FORMAT(`dateTime`, 'yyyy-MM-dd')
