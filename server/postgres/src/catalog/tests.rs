use super::*;
use crate::Column;
use crate::settings::Settings;
use proptest::prelude::*;

fn table(name: &str, is_view: bool, columns: &[(&str, &str)]) -> Table {
    let column =
        |(name, type_name): &(&str, &str)| Column { name: (*name).into(), type_name: (*type_name).into() };
    Table { name: name.into(), is_view, columns: columns.iter().map(column).collect() }
}

fn tables() -> Vec<Table> {
    vec![
        table("Big Orders", true, &[("id", "BIGINT")]),
        table("orders", false, &[("id", "BIGINT"), ("price", "DECIMAL(10, 2)"), ("at", "TIMESTAMP_LTZ(3)")]),
    ]
}

fn run(text: &str) -> Result<Found, Trouble> {
    run_with(text, &[])
}

fn run_with(text: &str, parameters: &[Value]) -> Result<Found, Trouble> {
    let query = CatalogQuery::parse(text, |name| name == "orders").expect("it is about the catalog");
    let (tables, settings, databases) =
        (tables(), Settings::default(), ["shop".to_owned(), "other".to_owned()]);
    let cancelled = AtomicBool::new(false);
    let world = World {
        database: "shop",
        databases: &databases,
        tables: &tables,
        settings: &settings,
        user: "me",
        process: 7,
        cancelled: &cancelled,
    };
    let found = query.run(world, parameters)?;
    assert_eq!(query.columns(world)?, found.columns, "columns are the same before and behind: {text}");
    Ok(found)
}

/// Rows, a line each.
fn rows(text: &str) -> String {
    let found = run(text).unwrap_or_else(|trouble| panic!("{trouble:?}: {text}"));
    let lines = found.rows.iter().map(|row| row.join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_drivers_ask_when_they_connect_is_answered() {
    assert_eq!(rows("SELECT 1"), "1");
    assert_eq!(rows("select current_schema(), current_database(), current_user"), r#""public" "shop" "me""#);
    assert!(rows("select version()").contains("PostgreSQL 16"));
    assert_eq!(rows("SELECT current_setting('server_version_num')::int / 10000"), "16");
    assert_eq!(rows("select 'a' || 'b', 1 + 2 * 3, NOT true"), r#""ab" 7 false"#);
    assert_eq!(rows("SELECT pg_catalog.pg_is_in_recovery()"), "false");
    // SQLAlchemy.
    assert_eq!(rows("SELECT CAST('test plain returns' AS VARCHAR(60)) AS anon_1"), r#""test plain returns""#);
    let hstore = "SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid WHERE typname = 'hstore'";
    assert_eq!(rows(hstore), "");
    assert_eq!(
        run("select typname from pg_type where oid = 23").unwrap().columns,
        [("typname".to_owned(), Kind::Name)]
    );
}

#[test]
fn tables_are_found_as_psql_asks_for_them() {
    let d = r#"SELECT n.nspname as "Schema", c.relname as "Name",
      CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' END as "Type",
      pg_catalog.pg_get_userbyid(c.relowner) as "Owner"
    FROM pg_catalog.pg_class c
         LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
    WHERE c.relkind IN ('r','p','v','m','S','f','')
          AND n.nspname <> 'pg_catalog'
          AND n.nspname !~ '^pg_toast'
          AND n.nspname <> 'information_schema'
      AND pg_catalog.pg_table_is_visible(c.oid)
    ORDER BY 1,2;"#;
    assert_eq!(
        rows(d),
        "\"public\" \"Big Orders\" \"view\" \"millstream\"\n\"public\" \"orders\" \"table\" \"millstream\""
    );
    let found = "SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c
         LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relname OPERATOR(pg_catalog.~) '^(orders)$' COLLATE pg_catalog.default
      AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3;";
    let oid = rows(found).split(' ').next().unwrap().to_owned();
    let columns = format!(
        "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
      (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d
       WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull,
      (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t
       WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation,
      a.attidentity, a.attgenerated
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = '{oid}' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;"
    );
    let expected = "\"id\" \"bigint\" null false null \"\" \"\"\n\
                    \"price\" \"numeric(10,2)\" null false null \"\" \"\"\n\
                    \"at\" \"timestamp with time zone\" null false null \"\" \"\"";
    assert_eq!(rows(&columns), expected);
    let policies = format!(
        "SELECT pol.polname, CASE WHEN pol.polroles = '{{0}}' THEN NULL ELSE pg_catalog.array_to_string(array(select rolname
         from pg_catalog.pg_roles where oid = any (pol.polroles) order by 1),',') END
       FROM pg_catalog.pg_policy pol WHERE pol.polrelid = '{oid}' ORDER BY 1;"
    );
    assert_eq!(rows(&policies), "");
    assert_eq!(
        rows(&format!(
            "SELECT '{oid}'::pg_catalog.oid::pg_catalog.regclass, 'orders'::regclass::oid = {oid}"
        )),
        "\"orders\" true"
    );
    assert_eq!(rows("SELECT '\"Big Orders\"'::regclass::oid::regclass"), r#""\"Big Orders\"""#);
}

/// As version 42 of the driver asks: `getTables` and `getColumns`.
#[test]
fn tables_and_columns_are_found_as_jdbc_asks_for_them() {
    let tables = r#"SELECT current_database() AS "TABLE_CAT", n.nspname AS "TABLE_SCHEM", c.relname AS "TABLE_NAME",
      CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema' WHEN true THEN CASE WHEN n.nspname = 'pg_catalog' OR
      n.nspname = 'information_schema' THEN CASE c.relkind WHEN 'r' THEN 'SYSTEM TABLE' ELSE NULL END ELSE NULL END
      WHEN false THEN CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' ELSE NULL END ELSE NULL END AS "TABLE_TYPE",
      d.description AS "REMARKS", '' as "TYPE_CAT"
      FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c
      LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 and d.classoid = 'pg_class'::regclass)
      WHERE c.relnamespace = n.oid AND (false OR (c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'))
      ORDER BY "TABLE_TYPE", "TABLE_SCHEM", "TABLE_NAME""#;
    assert_eq!(rows(tables), r#""shop" "public" "orders" "TABLE" null """#);
    let columns = "SELECT * FROM (SELECT current_database() AS current_database, n.nspname,c.relname,a.attname,a.atttypid,
      a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS attnotnull,a.atttypmod,a.attlen,t.typtypmod,
      row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS attnum, nullif(a.attidentity, '') as attidentity,
      pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS adsrc,dsc.description,t.typbasetype,t.typtype
      FROM pg_catalog.pg_namespace n
      JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid)
      JOIN pg_catalog.pg_attribute a ON (a.attrelid=c.oid)
      JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid)
      LEFT JOIN pg_catalog.pg_attrdef def ON (a.attrelid=def.adrelid AND a.attnum = def.adnum)
      LEFT JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid)
      LEFT JOIN pg_catalog.pg_class dc ON (dc.oid=dsc.classoid AND dc.relname='pg_class')
      LEFT JOIN pg_catalog.pg_namespace dn ON (dc.relnamespace=dn.oid AND dn.nspname='pg_catalog')
      WHERE c.relkind in ('r','p','v','f','m') and a.attnum > 0 AND NOT a.attisdropped AND n.nspname LIKE 'public'
      AND c.relname LIKE 'or%') c WHERE true ORDER BY nspname,c.relname,attnum";
    let found = run(columns).unwrap();
    let names: Vec<(&str, &str)> = found.rows.iter().map(|row| (row[3].as_str(), row[9].as_str())).collect();
    assert_eq!(names, [("\"id\"", "1"), ("\"price\"", "2"), ("\"at\"", "3")]);
    let types: Vec<Kind> = found.columns.iter().map(|(_, kind)| *kind).collect();
    assert_eq!(types[3..6], [Kind::Name, Kind::Oid, Kind::Bool]);
}

/// As its PostgreSQL data source asks, and as SQLAlchemy does.
#[test]
fn tables_and_columns_are_found_as_grafana_and_sqlalchemy_ask_for_them() {
    let grafana = r#"SELECT CASE WHEN quote_ident(table_schema) IN (
          SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
          FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1),
                               array_upper(string_to_array(current_setting('search_path'),','),1)) as i,
               string_to_array(current_setting('search_path'),',') s)
        THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table"
        FROM information_schema.tables
        WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache')
        ORDER BY 1"#;
    assert_eq!(rows(grafana), "\"\\\"Big Orders\\\"\"\n\"orders\"");
    let columns =
        "SELECT quote_ident(column_name) AS \"column\", data_type AS \"type\" FROM information_schema.columns
        WHERE quote_ident(table_name) = 'orders'";
    assert_eq!(
        rows(columns),
        "\"id\" \"bigint\"\n\"price\" \"numeric\"\n\"at\" \"timestamp with time zone\""
    );
    let names = "SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace
        ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace
        WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p']) AND pg_catalog.pg_class.relpersistence != 't'
        AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'";
    assert_eq!(rows(names), r#""orders""#);
    let has = "select relname from pg_class c join pg_namespace n on n.oid=c.relnamespace where n.nspname=$1 and relname=$2";
    let found = run_with(has, &[Value::text("public"), Value::text("orders")]).unwrap();
    assert_eq!(found.rows, [["\"orders\""]]);
}

#[test]
fn groups_unions_and_lists_come_out_right() {
    let by_kind = "SELECT relkind, count(*), array_agg(relname), string_agg(relname, ',') FROM pg_class GROUP BY relkind ORDER BY 1";
    assert_eq!(
        rows(by_kind),
        "\"r\" 1 \"{orders}\" \"orders\"\n\"v\" 1 \"{\\\"Big Orders\\\"}\" \"Big Orders\""
    );
    assert_eq!(rows("SELECT count(*), max(relname) FROM pg_class WHERE false"), "0 null");
    assert_eq!(rows("SELECT 1 UNION SELECT 1 UNION ALL SELECT 2 ORDER BY 1 DESC"), "2\n1");
    assert_eq!(
        rows("WITH x(a) AS (VALUES (1), (2), (3)) SELECT a FROM x WHERE a > 1 ORDER BY a DESC LIMIT 1"),
        "3"
    );
    assert_eq!(
        rows("SELECT DISTINCT nspname FROM pg_namespace, pg_class ORDER BY nspname OFFSET 2"),
        "\"public\""
    );
    assert_eq!(rows("SELECT NULL = 1, NULL IN (1), 2 NOT IN (1, NULL), NULL OR true"), "null null null true");
    assert_eq!(rows("SELECT 'a_c' LIKE 'a\\_%', 'ABC' ILIKE 'a_c', (ARRAY['x','y'])[2]"), "true true \"y\"");
    assert_eq!(rows("SELECT x FROM unnest(ARRAY[3, 1]) AS x ORDER BY x"), "1\n3");
    assert_eq!(rows("SELECT datname FROM pg_database ORDER BY 1"), "\"other\"\n\"shop\"");
}

#[test]
fn what_is_wrong_or_too_much_is_refused_and_nothing_else_hurt() {
    let state = |text: &str| run(text).unwrap_err().state;
    assert_eq!(state("SELECT nope FROM pg_class"), "42703");
    assert_eq!(state("SELECT * FROM pg_catalog.pg_nope"), "42P01");
    assert_eq!(state("SELECT nope(1) FROM pg_namespace"), "42883");
    assert_eq!(state("SELECT 1 / 0"), "22012");
    assert_eq!(state("SELECT 'x'::int"), "22P02");
    assert_eq!(state("SELECT 'a' ~ '('"), "2201B");
    let many = "SELECT count(*) FROM pg_type a, pg_type b, pg_type c, pg_type d, pg_type e";
    assert_eq!(state(many), "54000");
    // As deep as they are long, or longer than anybody's; and what only a question may have.
    let (long, deep) = (vec!["1"; 3_000].join("+"), format!("{}1{}", "(".repeat(500), ")".repeat(500)));
    for other in [long.as_str(), deep.as_str(), &vec!["1"; 20_000].join(","), "TUMBLE_START(1)", "a"] {
        assert!(CatalogQuery::parse(&format!("SELECT {other}"), |_| false).is_none());
    }
    assert!(CatalogQuery::parse("SELECT * FROM orders", |name| name == "orders").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_asked_it_is_answered_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "SELECT", "*", "FROM", "pg_class", "pg_type t", "WHERE", "oid", "=", "1", "'a'", "(", ")", ",", "AND", "IN", "::int",
        "::regclass", "NOT", "NULL", "CASE", "WHEN", "THEN", "END", "count(*)", "GROUP BY", "ORDER BY", "LIMIT", "-", "~",
        "LEFT JOIN", "ON true", "array_agg(oid)", "EXISTS", "UNION", "$1", "ARRAY[1]", "[1]", "any", "JOIN", "USING (oid)", "x",
    ]), 1..24)) {
        if let Some(query) = CatalogQuery::parse(&format!("SELECT {}", words.join(" ")), |_| false) {
            let (tables, settings, cancelled) = (tables(), Settings::default(), AtomicBool::new(false));
            let world = World { database: "d", databases: &[], tables: &tables, settings: &settings, user: "u", process: 1, cancelled: &cancelled };
            let _ = query.columns(world);
            let _ = query.run(world, &[Value::Null]);
        }
    }
}
