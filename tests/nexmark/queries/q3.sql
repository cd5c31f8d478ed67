-- Who sells in some states, in one category.
-- columns: name, city, state, id
SELECT seller.name, seller.city, seller.state, sold.id
FROM auction AS sold JOIN person AS seller ON sold.seller = seller.id
WHERE sold.category = 10 AND (seller.state = 'or' OR seller.state = 'id' OR seller.state = 'ca')
