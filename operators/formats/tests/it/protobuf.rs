//! The format `protobuf`: bytes that the library of Protocol Buffers for Python (7.36) has written, and examples.

use crate::run::{bad_lines, bytes, read, write};
use arrow::datatypes::Fields;
use millstream_formats::Format;
use millstream_formats::protobuf::ProtobufOptions;
use millstream_operators::testing::{batch, canonical};
use std::sync::Arc;

/// The messages `p2.All` of proto2 and `p3.All` of proto3, as `types.proto` shows them.
const TYPES: &[u8] = include_bytes!("protobuf/types.desc");

const COLUMNS: &str = "i32:i32 u32:i32 s32:i32 f32:i32 sf32:i32 i64:i64 u64:i64 s64:i64 f64:i64 sf64:i64 fl:f32 db:f64 bo:bool \
     st:utf8 by:bytes en:utf8 part:row(x:i32,y:utf8,more:list(i32)) nums:list(i64) texts:list(utf8) \
     parts:list(row(x:i32,y:utf8)) tags:map(i32) a:i32 b:utf8 opt:i32 ens:list(utf8)";

/// A row with all of them but `a`, of which `b` stands in the place.
const ROW: &str = r#"-7 -1 -3 5 -5 -9000000000 -1 -11 12 -13 1.5 -2.25 true hé AP8= BLUE {"x":1,"y":"p","more":[1,2]} [1,-1,300]
     ["a",""] PARTS {"k":9} null bb 0 ["GREEN","RED"]"#;

const HEAD: &str = "08f9ffffffffffffffff0110ffffffff0f180525050000002dfbffffff3080ccbbbcdeffffffff0138ffffffffffffffffff014015490c\
     0000000000000051f3ffffffffffffff5d0000c03f6100000000000002c06801720368c3a97a0200ff800102";
const TAIL: &str = "9a0101619a0100a201020805a20103120171aa01050a016b1009ba01026262c00100";

fn format(message: &str) -> Arc<dyn Format> {
    Arc::new(ProtobufOptions::of_descriptors(TYPES, message).unwrap())
}

fn fields(columns: &str) -> Fields {
    let schema = batch(&format!("{columns} | ")).columns().unwrap().schema();
    schema.fields().clone()
}

fn decode(format: &Arc<dyn Format>, columns: &str, payloads: &[Vec<u8>]) -> (String, Vec<String>) {
    let fields = fields(columns);
    let payloads: Vec<Option<&[u8]>> = payloads.iter().map(|payload| Some(payload.as_slice())).collect();
    let (rows, run) = read(&**format, &fields, &fields, &payloads);
    (rows, bad_lines(run))
}

#[test]
fn what_the_library_has_written_is_read_and_written_alike() {
    let numbers = [
        ("p2.All", "8a010908011201701801180290010190 01ffffffffffffffffff019001ac02", "c80101c80100"),
        ("p3.All", "8a010908011201701a02010292010d01ffffffffffffffffff01ac02", "ca01020100"),
    ];
    for (message, middle, end) in numbers {
        let record = bytes(&format!("{HEAD}{middle}{TAIL}{end}"));
        let read = ROW.replace(
            "PARTS",
            match message {
                "p2.All" => r#"[{"x":5,"y":null},{"x":null,"y":"q"}]"#,
                _ => r#"[{"x":5,"y":""},{"x":0,"y":"q"}]"#,
            },
        );
        let rows = format!("{COLUMNS} | + {read}");
        assert_eq!(
            decode(&format(message), COLUMNS, std::slice::from_ref(&record)),
            (canonical(&rows), vec![]),
            "{message}"
        );
        assert_eq!(write(&format(message), &rows).unwrap(), [record], "{message}");
    }
}

/// What is not there is null in proto2, and where it can't be told from its default in proto3 that default.
#[test]
fn a_field_that_is_not_there_is_null_or_its_default() {
    let columns = "i32:i32 bo:bool st:utf8 en:utf8 part:row(x:i32,more:list(i32)) nums:list(i64) tags:map(i32) opt:i32 a:i32";
    let read = |format: &Arc<dyn Format>| decode(format, columns, &[vec![]]).0;
    let rows = |row: &str| canonical(&format!("{columns} | + {row}"));
    assert_eq!(read(&format("p2.All")), rows("null null null null null null null null null"));
    assert_eq!(read(&format("p3.All")), rows("0 false '' RED null null null null null"));
    let defaults = ProtobufOptions::of_descriptors(TYPES, "p2.All").unwrap().with_default_values();
    let defaults: Arc<dyn Format> = Arc::new(defaults);
    assert_eq!(read(&defaults), rows(r#"0 false dflt RED {"x":0,"more":[]} [] {} 0 0"#));
    let (_, bad) = decode(&format("p2.All"), "i32:i32!", &[vec![]]);
    assert!(bad[0].starts_with("0: i32: the field is not there, but is declared NOT NULL"), "{bad:?}");
}

#[test]
fn what_a_writer_may_do_beside_the_usual_is_read_as_it_means() {
    let columns =
        "i32:i32 part:row(x:i32,y:utf8,more:list(i32)) nums:list(i64) tags:map(i32) a:i32 b:utf8 en:i32";
    let record = [
        // A number twice, and between them one that nobody knows, a group, and one of another shape than declared.
        "0801 f83f05 fb3f0801fc3f 0a0161 0802",
        // A message in two parts.
        "8a0104 0801 1801 8a0106 120179 1a0102",
        // Items one by one and in a run.
        "900101 92010202 03 900104",
        // A key twice; a pair without a value; one without a key.
        "aa01050a016b1009 aa01030a0161 aa01050a016b1008 aa01021007",
        // One of two, then the other one.
        "b00105 ba010162",
        "800107",
    ];
    let row = r#"2 {"x":1,"y":"y","more":[1,2]} [1,2,3,4] {"a":0,"k":8,"":7} null b 7"#;
    let read = decode(&format("p3.All"), columns, &[bytes(&record.concat())]);
    assert_eq!(read, (canonical(&format!("{columns} | + {row}")), vec![]));
}

#[test]
fn what_is_no_message_is_bad_and_leaves_no_trace() {
    let columns = "i32:i32 st:utf8 en:utf8 nums:list(i64) part:row(y:utf8)";
    let good = bytes("0807 720161 900101");
    let row = canonical(&format!("{columns} | + 7 a RED [1] null + 7 a RED [1] null"));
    for (hex, expected) in [
        ("08", " not a message of this type"),
        ("00", " not a message of this type"),
        ("0807 7205 61", " not a message of this type"),
        ("0807 7201ff", " st: a text that is not UTF-8"),
        ("0807 800109", " en: 9 is no value of its enum"),
        ("0807 920102 01ff", " nums: not a message of this type"),
        ("0807 8a0103 1201ff", " part.y: a text that is not UTF-8"),
        ("0807 ffffffffffffffffffff", " not a message of this type"),
        ("0807 0b0b0b", " not a message of this type"),
    ] {
        let (rows, bad) = decode(&format("p3.All"), columns, &[good.clone(), bytes(hex), good.clone()]);
        assert_eq!(rows, row, "{hex}");
        assert!(bad.len() == 1 && bad[0].starts_with(&format!("1:{expected}")), "{hex}: {bad:?}");
    }
}

#[test]
fn nulls_are_left_out_and_within_lists_they_are_defaults() {
    let columns = "i32:i32 opt:i32 texts:list(utf8) tags:map(i32) part:row(x:i32) en:i16";
    let rows =
        format!("{columns} | + null null [null] {{\"k\":null}} null null + 0 0 [] {{}} {{\"x\":null}} 0");
    let written = write(&format("p3.All"), &rows).unwrap();
    assert_eq!(written, [bytes("9a0100 aa01050a016b1000"), bytes("8a0100 c00100")]);
    let refused = write(&format("p3.All"), "en:utf8 | + PINK").unwrap_err();
    assert!(refused.contains("'PINK' is no value of its enum"), "{refused}");
}

#[test]
fn what_does_not_fit_is_refused_with_what_to_do() {
    for (columns, why) in [
        ("i32:i64", "field \"i32\": int32 is no BIGINT"),
        ("none:i64", "message p3.All has no field \"none\""),
        ("part:utf8", "message p3.Part is no STRING"),
        ("nums:i64", "repeated int64 is no BIGINT"),
        ("part:row(z:i32)", "message p3.Part has no field \"z\""),
        ("en:f64", "enum p3.Color is no DOUBLE"),
    ] {
        let refused = format("p3.All").decoder(&fields(columns), &fields(columns)).unwrap_err().to_string();
        assert!(refused.contains(why), "{columns}: {refused}");
    }
    let file = std::env::temp_dir().join(format!("millstream-{}.desc", std::process::id()));
    std::fs::write(&file, TYPES).unwrap();
    let file = file.to_str().unwrap();
    let parse = |options: &[(&str, &str)]| {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        millstream_formats::parse("protobuf", &options).map_err(|error| error.to_string())
    };
    assert_eq!(
        parse(&[("descriptor-file", file), ("message-name", "p3.All")]).unwrap().describe(),
        "protobuf(message-name=p3.All)"
    );
    for (options, why) in [
        (&[][..], "option 'protobuf.descriptor-file' is missing"),
        (&[("message-class-name", "com.shop.Order")], "there are no Java classes here"),
        (
            &[("descriptor-file", "/nowhere"), ("message-name", "p3.All")],
            "a descriptor set of protoc: No such file",
        ),
        (
            &[("descriptor-file", file), ("message-name", "p3.Al")],
            "which has p2.Part, p2.All, p3.Part, p3.All",
        ),
    ] {
        let refused = parse(options).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    std::fs::remove_file(file).unwrap();
    assert!(ProtobufOptions::of_descriptors(b"\x0a\xff", "a").is_err());
}
