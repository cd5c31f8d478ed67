-- A table whose records say what happened to a row of a database: rows come, are changed, and go.
CREATE TABLE accounts (id BIGINT, owner STRING, balance DOUBLE, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'kafka', 'topic' = 'accounts', 'format' = 'debezium-json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE owners (owner STRING, city STRING)
WITH ('connector' = 'kafka', 'topic' = 'owners', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');

CREATE TABLE totals (owner STRING, n BIGINT, total DOUBLE, most DOUBLE, PRIMARY KEY (owner) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'totals', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE rich (id BIGINT, owner STRING, balance DOUBLE)
WITH ('connector' = 'kafka', 'topic' = 'rich', 'format' = 'debezium-json', 'key.format' = 'json', 'key.fields' = 'id');
CREATE TABLE cities (city STRING, n BIGINT, total DOUBLE)
WITH ('connector' = 'kafka', 'topic' = 'cities', 'format' = 'debezium-json');
CREATE TABLE mirror (id BIGINT, owner STRING, balance DOUBLE, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'mirror', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE counts (what STRING, n BIGINT, balances BIGINT, owners BIGINT, PRIMARY KEY (what) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'counts', 'key.format' = 'json', 'value.format' = 'json');

EXECUTE STATEMENT SET BEGIN
INSERT INTO totals SELECT owner, COUNT(*), SUM(balance), MAX(balance) FROM accounts GROUP BY owner;
INSERT INTO rich SELECT id, owner, balance FROM accounts WHERE balance >= 10;
INSERT INTO cities SELECT o.city, COUNT(*), SUM(a.balance) FROM accounts AS a JOIN owners AS o ON a.owner = o.owner GROUP BY o.city;
-- By the table's own key: its rows are told apart by it.
INSERT INTO mirror SELECT id, owner, balance FROM accounts;
INSERT INTO counts SELECT 'all', COUNT(*), COUNT(balance), COUNT(DISTINCT owner) FROM accounts;
END;

-- rows of accounts
{"op": "r", "before": null, "after": {"id": 1, "owner": "ann", "balance": 10.0}}
{"op": "r", "before": null, "after": {"id": 2, "owner": "bob", "balance": 20.5}}
{"op": "c", "before": null, "after": {"id": 3, "owner": "ann", "balance": 5.0}, "source": {"table": "accounts"}, "ts_ms": 7}
{"op": "u", "before": {"id": 1, "owner": "ann", "balance": 10.0}, "after": {"id": 1, "owner": "ann", "balance": 12.5}}
{"op": "u", "before": {"id": 2, "owner": "bob", "balance": 20.5}, "after": {"id": 2, "owner": "cid", "balance": 20.5}}
{"op": "c", "before": null, "after": {"id": 4, "owner": "dan", "balance": 1.0}}
{"op": "d", "before": {"id": 4, "owner": "dan", "balance": 1.0}, "after": null}
{"op": "c", "before": null, "after": {"id": 5, "owner": "eve", "balance": 99.0}}
{"op": "u", "before": {"id": 3, "owner": "ann", "balance": 5.0}, "after": {"id": 3, "owner": "bob", "balance": 50.0}}
{"op": "c", "before": null, "after": {"id": 4, "owner": "bob", "balance": null}}
{"op": "d", "before": {"id": 1, "owner": "ann", "balance": 12.5}, "after": null}
{"op": "c", "before": null, "after": {"id": 6, "owner": "cid", "balance": 30.0}}

-- rows of owners
{"owner": "ann", "city": "rome"}
{"owner": "bob", "city": "oslo"}
{"owner": "cid", "city": "oslo"}
{"owner": "bob", "city": "rome"}

-- answer of totals
{"owner": "eve", "n": 1, "total": 99.0, "most": 99.0}
{"owner": "bob", "n": 2, "total": 50.0, "most": 50.0}
{"owner": "cid", "n": 2, "total": 50.5, "most": 30.0}

-- answer of rich
{"id": 2, "owner": "cid", "balance": 20.5}
{"id": 5, "owner": "eve", "balance": 99.0}
{"id": 3, "owner": "bob", "balance": 50.0}
{"id": 6, "owner": "cid", "balance": 30.0}

-- answer of cities
{"city": "rome", "n": 2, "total": 50.0}
{"city": "oslo", "n": 4, "total": 100.5}

-- answer of counts
{"what": "all", "n": 5, "balances": 4, "owners": 3}
