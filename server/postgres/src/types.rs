//! Types: Flink's, as PostgreSQL's clients know them.
//!
//! | Flink | PostgreSQL |
//! |---|---|
//! | `BOOLEAN` | `boolean` |
//! | `TINYINT`, `SMALLINT`; `INT`; `BIGINT` | `smallint`; `integer`; `bigint` |
//! | `FLOAT`, `DOUBLE`, `DECIMAL(p, s)` | `real`, `double precision`, `numeric(p, s)` |
//! | `CHAR`, `VARCHAR`, `STRING` | `text` |
//! | `BINARY`, `VARBINARY`, `BYTES` | `bytea` |
//! | `DATE`, `TIME`, `TIMESTAMP`, `TIMESTAMP_LTZ` | `date`, `time`, `timestamp`, `timestamptz` |
//! | `ARRAY`, `MAP`, `MULTISET`, `ROW` | `json` |
//! | whatever else there is | `text` |

/// A type of PostgreSQL's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Bytes,
    /// `"char"`: one byte, in the catalog only.
    Char,
    Name,
    Int8,
    Int2,
    Int4,
    Text,
    Oid,
    Json,
    Float4,
    Float8,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    /// With precision and scale.
    Numeric(u8, u8),
    /// Of texts, in the catalog only.
    TextArray,
    /// Of whole numbers, in the catalog only.
    IntArray,
}

/// A type of the catalog: its number, name, array type, length in bytes and category.
pub(crate) struct Known {
    pub(crate) oid: u32,
    pub(crate) name: &'static str,
    /// As `format_type` says.
    pub(crate) long_name: &'static str,
    pub(crate) array: u32,
    pub(crate) width: i16,
    pub(crate) category: &'static str,
}

const fn known(
    oid: u32,
    name: &'static str,
    long_name: &'static str,
    array: u32,
    width: i16,
    category: &'static str,
) -> Known {
    Known { oid, name, long_name, array, width, category }
}

/// Types that the catalog lists. The numbers are those of PostgreSQL's `pg_type.dat`, which clients have built in.
pub(crate) const KNOWN: &[Known] = &[
    known(16, "bool", "boolean", 1000, 1, "B"),
    known(17, "bytea", "bytea", 1001, -1, "U"),
    known(18, "char", "\"char\"", 1002, 1, "Z"),
    known(19, "name", "name", 1003, 64, "S"),
    known(20, "int8", "bigint", 1016, 8, "N"),
    known(21, "int2", "smallint", 1005, 2, "N"),
    known(23, "int4", "integer", 1007, 4, "N"),
    known(25, "text", "text", 1009, -1, "S"),
    known(26, "oid", "oid", 1028, 4, "N"),
    known(114, "json", "json", 199, -1, "U"),
    known(700, "float4", "real", 1021, 4, "N"),
    known(701, "float8", "double precision", 1022, 8, "N"),
    known(705, "unknown", "unknown", 0, -2, "X"),
    known(1042, "bpchar", "character", 1014, -1, "S"),
    known(1043, "varchar", "character varying", 1015, -1, "S"),
    known(1082, "date", "date", 1182, 4, "D"),
    known(1083, "time", "time without time zone", 1183, 8, "D"),
    known(1114, "timestamp", "timestamp without time zone", 1115, 8, "D"),
    known(1184, "timestamptz", "timestamp with time zone", 1185, 8, "D"),
    known(1186, "interval", "interval", 1187, 16, "T"),
    known(1700, "numeric", "numeric", 1231, -1, "N"),
];

impl Kind {
    /// That of a type as Flink writes it.
    pub(crate) fn of_flink(name: &str) -> Kind {
        let word = name.split(['(', '<', ' ']).next().unwrap_or_default();
        match word {
            "BOOLEAN" => Kind::Bool,
            "TINYINT" | "SMALLINT" => Kind::Int2,
            "INT" | "INTEGER" => Kind::Int4,
            "BIGINT" => Kind::Int8,
            "FLOAT" => Kind::Float4,
            "DOUBLE" => Kind::Float8,
            "DECIMAL" => {
                let (_, inside) = name.split_once('(').unwrap_or_default();
                let mut numbers =
                    inside.trim_end_matches(')').split(',').map(|number| number.trim().parse().ok());
                let mut number = |other| numbers.next().flatten().unwrap_or(other);
                Kind::Numeric(number(38), number(0))
            }
            "BINARY" | "VARBINARY" | "BYTES" => Kind::Bytes,
            "DATE" => Kind::Date,
            "TIME" => Kind::Time,
            "TIMESTAMP" => Kind::Timestamp,
            "TIMESTAMP_LTZ" => Kind::TimestampTz,
            "ARRAY" | "MAP" | "MULTISET" | "ROW" => Kind::Json,
            _ => Kind::Text,
        }
    }

    /// That with this number, where there is one that values can have.
    pub(crate) fn of_oid(oid: u32) -> Option<Kind> {
        let numeric = Kind::Numeric(38, 18);
        let scalar = [
            Kind::Bool,
            Kind::Bytes,
            Kind::Char,
            Kind::Name,
            Kind::Int8,
            Kind::Int2,
            Kind::Int4,
            Kind::Text,
            Kind::Oid,
            Kind::Json,
            Kind::Float4,
            Kind::Float8,
            Kind::Date,
            Kind::Time,
            Kind::Timestamp,
            Kind::TimestampTz,
            numeric,
        ];
        match oid {
            // Unknown, character and character varying.
            0 | 705 | 1042 | 1043 => Some(Kind::Text),
            _ => scalar.into_iter().find(|kind| kind.oid() == oid),
        }
    }

    pub(crate) fn oid(self) -> u32 {
        match self {
            Kind::Bool => 16,
            Kind::Bytes => 17,
            Kind::Char => 18,
            Kind::Name => 19,
            Kind::Int8 => 20,
            Kind::Int2 => 21,
            Kind::Int4 => 23,
            Kind::Text => 25,
            Kind::Oid => 26,
            Kind::Json => 114,
            Kind::Float4 => 700,
            Kind::Float8 => 701,
            Kind::Date => 1082,
            Kind::Time => 1083,
            Kind::Timestamp => 1114,
            Kind::TimestampTz => 1184,
            Kind::Numeric(..) => 1700,
            Kind::TextArray => 1009,
            Kind::IntArray => 1007,
        }
    }

    /// How long a value is, in bytes; negative where they differ.
    pub(crate) fn width(self) -> i16 {
        KNOWN.iter().find(|known| known.oid == self.oid()).map_or(-1, |known| known.width)
    }

    /// What a client is told of a type beside its number: precision and scale.
    pub(crate) fn modifier(self) -> i32 {
        match self {
            Kind::Numeric(precision, scale) => (i32::from(precision) << 16 | i32::from(scale)) + 4,
            _ => -1,
        }
    }

    /// The type as Flink writes it, for a value that stands in a text.
    pub(crate) fn in_flink(self) -> &'static str {
        match self {
            Kind::Bool => "BOOLEAN",
            Kind::Bytes => "BYTES",
            Kind::Int8 | Kind::Oid => "BIGINT",
            Kind::Int2 => "SMALLINT",
            Kind::Int4 => "INT",
            Kind::Float4 => "FLOAT",
            Kind::Float8 => "DOUBLE",
            Kind::Date => "DATE",
            Kind::Time => "TIME",
            Kind::Timestamp => "TIMESTAMP(6)",
            Kind::TimestampTz => "TIMESTAMP_LTZ(6)",
            Kind::Numeric(..) => "DECIMAL(38, 18)",
            Kind::Char | Kind::Name | Kind::Text | Kind::Json | Kind::TextArray | Kind::IntArray => "STRING",
        }
    }
}

/// As `format_type(oid, modifier)` says.
pub(crate) fn format_type(oid: u32, modifier: Option<i32>) -> String {
    let of = |oid: u32| KNOWN.iter().find(|known| known.oid == oid).map(|known| known.long_name);
    if let Some(name) = of(oid) {
        return match modifier {
            Some(modifier) if oid == 1700 && modifier >= 4 => {
                let modifier = modifier - 4;
                format!("{name}({},{})", modifier >> 16, modifier & 0xffff)
            }
            _ => name.to_owned(),
        };
    }
    let item = KNOWN.iter().find(|known| known.array == oid && oid != 0);
    item.map_or_else(|| "???".to_owned(), |item| format!("{}[]", item.long_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flinks_types_are_known_to_clients_of_postgresql() {
        for (flink, oid, width) in [
            ("BOOLEAN", 16, 1),
            ("TINYINT", 21, 2),
            ("BIGINT", 20, 8),
            ("STRING", 25, -1),
            ("BYTES", 17, -1),
            ("TIMESTAMP(3)", 1114, 8),
            ("TIMESTAMP_LTZ(3)", 1184, 8),
            ("ROW<a INT>", 114, -1),
            ("ARRAY<STRING>", 114, -1),
            ("INTERVAL", 25, -1),
        ] {
            let kind = Kind::of_flink(flink);
            assert_eq!((kind.oid(), kind.width()), (oid, width), "{flink}");
        }
        let decimal = Kind::of_flink("DECIMAL(10, 2)");
        assert_eq!((decimal, decimal.modifier()), (Kind::Numeric(10, 2), 655_366));
        assert_eq!(format_type(1700, Some(655_366)), "numeric(10,2)");
        assert_eq!(format_type(1009, None), "text[]");
        let back = [16, 17, 20, 21, 23, 25, 700, 701, 1082, 1083, 1114, 1184].map(Kind::of_oid);
        assert!(back.iter().all(Option::is_some) && Kind::of_oid(600).is_none());
    }
}
