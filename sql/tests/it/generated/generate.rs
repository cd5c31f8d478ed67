//! Whole files, made of what Flink's SQL has: most of them nearly right.

use super::random::Random;

/// A column as expressions are made of it.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    kind: Kind,
}

/// What a value is, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Time,
    Truth,
    Other,
}

#[derive(Debug, Clone)]
struct Relation {
    name: String,
    columns: Vec<Column>,
    has_time: bool,
    is_written: bool,
}

/// A file.
pub(super) fn file(random: &mut Random) -> String {
    let mut maker = Maker { random, relations: Vec::new(), text: String::new() };
    for _ in 0..maker.random.below(3) {
        maker.set();
    }
    for number in 0..1 + maker.random.below(4) {
        maker.table(number);
    }
    for number in 0..maker.random.below(3) {
        maker.view(number);
    }
    let in_set = maker.random.one_in(3);
    if in_set {
        maker.text.push_str("EXECUTE STATEMENT SET BEGIN\n");
    }
    let simple = !in_set && maker.random.one_in(3);
    for _ in 0..if simple { 1 } else { 1 + maker.random.below(4) } {
        maker.insert(simple);
    }
    if in_set {
        maker.text.push_str("END;\n");
    }
    maker.text
}

struct Maker<'r> {
    random: &'r mut Random,
    relations: Vec<Relation>,
    text: String,
}

const TYPES: &[(&str, Kind)] = &[
    ("INT", Kind::Number),
    ("BIGINT", Kind::Number),
    ("SMALLINT", Kind::Number),
    ("TINYINT", Kind::Number),
    ("DOUBLE", Kind::Number),
    ("FLOAT", Kind::Number),
    ("DECIMAL(10, 2)", Kind::Number),
    ("DECIMAL(38, 18)", Kind::Number),
    ("STRING", Kind::Text),
    ("VARCHAR(10)", Kind::Text),
    ("CHAR(3)", Kind::Text),
    ("BOOLEAN", Kind::Truth),
    ("TIMESTAMP(3)", Kind::Time),
    ("TIMESTAMP_LTZ(3)", Kind::Time),
    ("TIMESTAMP", Kind::Time),
    ("DATE", Kind::Other),
    ("TIME", Kind::Other),
    ("BYTES", Kind::Other),
    ("ARRAY<INT>", Kind::Other),
    ("MAP<STRING, INT>", Kind::Other),
    ("ROW<a INT, b ROW<c STRING>>", Kind::Other),
];

const SETTINGS: &[(&str, &str)] = &[
    ("table.exec.state.ttl", "1 h"),
    ("millstream.commit-interval", "1 s"),
    ("pipeline.name", "job"),
    ("table.exec.mini-batch.enabled", "true"),
    ("millstream.bad-records", "skip"),
    ("millstream.late-records", "dead-letter"),
    ("execution.runtime-mode", "batch"),
    ("parallelism.default", "99999999999999999999"),
    ("frobnicate", "x"),
];

impl Maker<'_> {
    fn set(&mut self) {
        let (key, value) = *self.random.pick(SETTINGS);
        self.text.push_str(&format!("SET '{key}' = '{value}';\n"));
    }

    fn table(&mut self, number: usize) {
        let name = format!("t{number}");
        let mut columns = Vec::new();
        let mut lines = Vec::new();
        for column in 0..1 + self.random.below(5) {
            let (data_type, kind) = *self.random.pick(TYPES);
            let name = format!("c{column}");
            let not_null = if self.random.one_in(5) { " NOT NULL" } else { "" };
            lines.push(format!("{name} {data_type}{not_null}"));
            columns.push(Column { name, kind });
        }
        if self.random.one_in(4) {
            let expr = self.expr(&columns, Kind::Number, 2);
            lines.push(format!("computed AS {expr}"));
            columns.push(Column { name: "computed".to_owned(), kind: Kind::Number });
        }
        if self.random.one_in(6) {
            lines.push("o BIGINT METADATA FROM 'offset' VIRTUAL".to_owned());
            columns.push(Column { name: "o".to_owned(), kind: Kind::Number });
        }
        let has_time = self.random.one_in(2);
        if has_time {
            lines.push("ts TIMESTAMP(3)".to_owned());
            lines.push("WATERMARK FOR ts AS ts - INTERVAL '5' SECOND".to_owned());
            columns.push(Column { name: "ts".to_owned(), kind: Kind::Time });
        }
        let is_upsert = self.random.one_in(3);
        if is_upsert {
            let second = if columns.len() > 1 && self.random.one_in(3) { ", c1" } else { "" };
            lines.push(format!("PRIMARY KEY (c0{second}) NOT ENFORCED"));
        }
        let options = match self.random.below(8) {
            0 => "'connector' = 'print'".to_owned(),
            1 => "'connector' = 'blackhole'".to_owned(),
            _ if is_upsert => format!(
                "'connector' = 'upsert-kafka', 'topic' = '{name}', 'key.format' = 'json', 'value.format' = 'json'"
            ),
            2 => format!("'connector' = 'kafka', 'topic' = '{name};more', 'format' = 'json'"),
            _ => format!("'connector' = 'kafka', 'topic' = '{name}', 'format' = 'json'"),
        };
        self.text
            .push_str(&format!("CREATE TABLE {name} (\n  {}\n) WITH ({options});\n", lines.join(",\n  ")));
        self.relations.push(Relation { name, columns, has_time, is_written: true });
    }

    fn view(&mut self, number: usize) {
        let name = format!("v{number}");
        let (query, columns) = self.query(2);
        self.text.push_str(&format!("CREATE VIEW {name} AS {query};\n"));
        self.relations.push(Relation { name, columns, has_time: false, is_written: false });
    }

    fn insert(&mut self, simple: bool) {
        let (query, _) = self.query(if simple { 0 } else { 2 });
        let targets: Vec<String> = self
            .relations
            .iter()
            .filter(|relation| relation.is_written)
            .map(|relation| relation.name.clone())
            .collect();
        let target = self.random.pick(&targets).clone();
        let line = match self.random.below(5) {
            0 => format!("EXPLAIN {query};\n"),
            _ if simple => format!("EXPLAIN {query};\n"),
            _ => format!("INSERT INTO {target} {query};\n"),
        };
        self.text.push_str(&line);
    }

    /// A query, and its columns.
    fn query(&mut self, depth: usize) -> (String, Vec<Column>) {
        let relation = self.random.pick(&self.relations).clone();
        let (from, columns) = self.from(&relation, depth);
        match self.random.below(10) {
            0..=1 if relation.has_time => self.windowed(&relation),
            2..=4 => self.grouped(&from, &columns, depth),
            5 => {
                let (one, columns) = self.plain(&from, &columns, depth);
                let between = *self.random.pick(&["UNION ALL", "UNION", "INTERSECT", "EXCEPT"]);
                (format!("{one} {between} {one}"), columns)
            }
            _ => self.plain(&from, &columns, depth),
        }
    }

    fn from(&mut self, relation: &Relation, depth: usize) -> (String, Vec<Column>) {
        let named = |alias: &str, columns: &[Column]| -> Vec<Column> {
            columns
                .iter()
                .map(|column| Column { name: format!("{alias}.{}", column.name), kind: column.kind })
                .collect()
        };
        match self.random.below(8) {
            0 if depth > 0 => {
                let (query, columns) = self.query(depth - 1);
                (format!("({query}) AS q"), named("q", &columns))
            }
            1..=2 => {
                let other = self.random.pick(&self.relations).clone();
                let (left, right) = (named("l", &relation.columns), named("r", &other.columns));
                let kind = *self.random.pick(&[
                    "JOIN",
                    "LEFT JOIN",
                    "RIGHT JOIN",
                    "FULL JOIN",
                    "CROSS JOIN",
                    "NATURAL JOIN",
                ]);
                let (on_left, on_right) = (self.random.pick(&left).clone(), self.random.pick(&right).clone());
                let mut on = format!("ON {} = {}", on_left.name, on_right.name);
                let all: Vec<Column> = left.into_iter().chain(right).collect();
                if self.random.one_in(2) {
                    on += &format!(" AND {}", self.expr(&all, Kind::Truth, 2));
                }
                if relation.has_time && other.has_time && self.random.one_in(2) {
                    on += " AND l.ts BETWEEN r.ts - INTERVAL '5' MINUTE AND r.ts";
                }
                let version = if self.random.one_in(4) { " FOR SYSTEM_TIME AS OF l.ts" } else { "" };
                let on = if kind.starts_with('C') || kind.starts_with('N') { String::new() } else { on };
                (format!("{} AS l {kind} {}{version} AS r {on}", relation.name, other.name), all)
            }
            _ => (relation.name.clone(), relation.columns.clone()),
        }
    }

    fn plain(&mut self, from: &str, columns: &[Column], depth: usize) -> (String, Vec<Column>) {
        let (mut items, mut made) = (Vec::new(), Vec::new());
        for number in 0..1 + self.random.below(4) {
            let kind = *self.random.pick(&[Kind::Number, Kind::Text, Kind::Time, Kind::Truth]);
            let name = format!("x{number}");
            items.push(format!("{} AS {name}", self.expr(columns, kind, depth + 1)));
            made.push(Column { name, kind });
        }
        let distinct = if self.random.one_in(6) { "DISTINCT " } else { "" };
        let condition = match self.random.one_in(2) {
            true => format!(" WHERE {}", self.expr(columns, Kind::Truth, depth + 1)),
            false => String::new(),
        };
        let end = match self.random.below(12) {
            0 => " ORDER BY 1".to_owned(),
            1 => " LIMIT 3".to_owned(),
            _ => String::new(),
        };
        (format!("SELECT {distinct}{} FROM {from}{condition}{end}", items.join(", ")), made)
    }

    fn grouped(&mut self, from: &str, columns: &[Column], depth: usize) -> (String, Vec<Column>) {
        let key = self.random.pick(columns).clone();
        let key_expr = if self.random.one_in(3) { self.expr(columns, key.kind, 1) } else { key.name.clone() };
        let aggregate = self.aggregate(columns, depth);
        let having = match self.random.one_in(4) {
            true => format!(" HAVING {} > 1", self.aggregate(columns, depth)),
            false => String::new(),
        };
        let query =
            format!("SELECT {key_expr} AS x0, {aggregate} AS x1 FROM {from} GROUP BY {key_expr}{having}");
        let made = [("x0", key.kind), ("x1", Kind::Number)];
        (query, made.map(|(name, kind)| Column { name: name.to_owned(), kind }).to_vec())
    }

    fn windowed(&mut self, relation: &Relation) -> (String, Vec<Column>) {
        let name = &relation.name;
        let window = match self.random.below(4) {
            0 => format!("HOP(TABLE {name}, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTES)"),
            1 => format!(
                "TUMBLE(DATA => TABLE {name}, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '1' MINUTE)"
            ),
            _ => format!("TUMBLE(TABLE {name}, DESCRIPTOR(ts), INTERVAL '10' SECONDS)"),
        };
        let (key, aggregate) =
            (self.random.pick(&relation.columns).clone(), self.aggregate(&relation.columns, 1));
        let query = format!(
            "SELECT window_start AS x0, {} AS x1, {aggregate} AS x2 FROM TABLE({window}) GROUP BY window_start, window_end, {}",
            key.name, key.name
        );
        let made = [("x0", Kind::Time), ("x1", key.kind), ("x2", Kind::Number)];
        (query, made.map(|(name, kind)| Column { name: name.to_owned(), kind }).to_vec())
    }

    fn aggregate(&mut self, columns: &[Column], depth: usize) -> String {
        let function = *self.random.pick(&[
            "SUM",
            "MIN",
            "MAX",
            "AVG",
            "COUNT",
            "FIRST_VALUE",
            "LAST_VALUE",
            "LISTAGG",
            "STDDEV_POP",
            "COLLECT",
        ]);
        let filter = match self.random.one_in(5) {
            true => format!(" FILTER (WHERE {})", self.expr(columns, Kind::Truth, 1)),
            false => String::new(),
        };
        match self.random.below(6) {
            0 => format!("COUNT(*){filter}"),
            1 => format!("COUNT(DISTINCT {}){filter}", self.random.pick(columns).name.clone()),
            2 => format!("{function}({}) OVER (ORDER BY ts)", self.random.pick(columns).name.clone()),
            _ => format!("{function}({}){filter}", self.expr(columns, Kind::Number, depth)),
        }
    }

    /// An expression, of this kind in most cases.
    fn expr(&mut self, columns: &[Column], kind: Kind, depth: usize) -> String {
        let kind = if self.random.one_in(12) {
            *self.random.pick(&[Kind::Number, Kind::Text, Kind::Other])
        } else {
            kind
        };
        let fitting: Vec<&Column> = columns.iter().filter(|column| column.kind == kind).collect();
        if depth == 0 || self.random.one_in(3) {
            return match fitting.is_empty() || self.random.one_in(5) {
                true => self.literal(kind),
                false => self.random.pick(&fitting).name.clone(),
            };
        }
        let depth = depth - 1;
        match kind {
            Kind::Number => self.number(columns, depth),
            Kind::Text => self.text(columns, depth),
            Kind::Truth => self.truth(columns, depth),
            Kind::Time => self.time(columns, depth),
            Kind::Other => self.literal(kind),
        }
    }

    fn number(&mut self, columns: &[Column], depth: usize) -> String {
        let (a, b, text, time, truth) = (
            self.expr(columns, Kind::Number, depth),
            self.expr(columns, Kind::Number, depth),
            self.expr(columns, Kind::Text, depth),
            self.expr(columns, Kind::Time, depth),
            self.expr(columns, Kind::Truth, depth),
        );
        let operator = *self.random.pick(&["+", "-", "*", "/", "%"]);
        match self.random.below(14) {
            0 => format!("CAST({a} AS {})", self.random.pick(TYPES).0),
            1 => format!("CASE WHEN {truth} THEN {a} ELSE {b} END"),
            2 => format!("COALESCE({a}, {b})"),
            3 => format!("ABS({a})"),
            4 => format!("CHAR_LENGTH({text})"),
            5 => format!("MOD({a}, {b})"),
            6 => format!("EXTRACT(HOUR FROM {time})"),
            7 => format!("IF({truth}, {a}, {b})"),
            8 => format!("NULLIF({a}, {b})"),
            9 => format!("ROUND({a}, 2)"),
            10 => format!("-{a}"),
            _ => format!("({a} {operator} {b})"),
        }
    }

    fn text(&mut self, columns: &[Column], depth: usize) -> String {
        let (a, b, number) = (
            self.expr(columns, Kind::Text, depth),
            self.expr(columns, Kind::Text, depth),
            self.expr(columns, Kind::Number, depth),
        );
        match self.random.below(9) {
            0 => format!("UPPER({a})"),
            1 => format!("{a} || {b}"),
            2 => format!("SUBSTRING({a}, {number}, 2)"),
            3 => format!("CONCAT({a}, {b})"),
            4 => format!("CAST({number} AS STRING)"),
            5 => format!("REGEXP_REPLACE({a}, 'a', {b})"),
            6 => format!("TRIM(BOTH 'x' FROM {a})"),
            7 => format!("DATE_FORMAT({}, 'yyyy')", self.expr(columns, Kind::Time, depth)),
            _ => format!("LPAD({a}, {number}, {b})"),
        }
    }

    fn truth(&mut self, columns: &[Column], depth: usize) -> String {
        let (a, b, one, other) = (
            self.expr(columns, Kind::Number, depth),
            self.expr(columns, Kind::Number, depth),
            self.expr(columns, Kind::Truth, depth),
            self.expr(columns, Kind::Truth, depth),
        );
        let operator = *self.random.pick(&["=", "<>", "<", "<=", ">", ">="]);
        match self.random.below(9) {
            0 => format!("({one} AND {other})"),
            1 => format!("({one} OR {other})"),
            2 => format!("NOT {one}"),
            3 => format!("{a} IS NOT NULL"),
            4 => format!("{a} BETWEEN {b} AND 7"),
            5 => format!("{a} IN (1, 2, {b})"),
            6 => format!("{} LIKE 'a%'", self.expr(columns, Kind::Text, depth)),
            7 => format!("{a} IS NOT DISTINCT FROM {b}"),
            _ => format!("{a} {operator} {b}"),
        }
    }

    fn time(&mut self, columns: &[Column], depth: usize) -> String {
        let a = self.expr(columns, Kind::Time, depth);
        match self.random.below(4) {
            0 => format!("{a} + INTERVAL '1' HOUR"),
            1 => format!("FLOOR({a} TO HOUR)"),
            2 => format!("TO_TIMESTAMP({})", self.expr(columns, Kind::Text, depth)),
            _ => format!("CAST({a} AS TIMESTAMP(3))"),
        }
    }

    fn literal(&mut self, kind: Kind) -> String {
        let literals: &[&str] = match kind {
            Kind::Number => &[
                "1",
                "0",
                "7",
                "-3",
                "2.5",
                "1e3",
                "99999999999",
                "1e400",
                "NULL",
                "12345678901234567890123456789.5",
            ],
            Kind::Text => &["'a'", "''", "'it''s'", "'größe'", "NULL", "CAST(NULL AS STRING)"],
            Kind::Truth => &["TRUE", "FALSE", "UNKNOWN", "NULL"],
            Kind::Time => &["TIMESTAMP '2025-01-01 00:00:00'", "DATE '2025-01-01'", "NULL"],
            Kind::Other => {
                &["ARRAY[1, 2]", "MAP['a', 1]", "ROW(1, 'a')", "X'ff'", "INTERVAL '1' DAY", "PROCTIME()", "*"]
            }
        };
        (*self.random.pick(literals)).to_owned()
    }
}
