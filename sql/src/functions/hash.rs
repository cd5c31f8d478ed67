//! Hashes of texts, as hexadecimal digits in lower case.

use super::{Call, Failed, Function, Param, Typed, encoding, fixed};
use arrow::array::{ArrayRef, Int32Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["MD5"],
        signature: "MD5(string)",
        types: one_text,
        eval: hashed::<Md5>,
        fails: false,
        examples: &[("MD5('hello')", "5d41402abc4b2a76b9719d911017c592")],
    },
    Function {
        names: &["SHA1"],
        signature: "SHA1(string)",
        types: one_text,
        eval: hashed::<Sha1>,
        fails: false,
        examples: &[("SHA1('hello')", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d")],
    },
    Function {
        names: &["SHA224"],
        signature: "SHA224(string)",
        types: one_text,
        eval: hashed::<Sha224>,
        fails: false,
        examples: &[("SHA224('')", "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f")],
    },
    Function {
        names: &["SHA256"],
        signature: "SHA256(string)",
        types: one_text,
        eval: hashed::<Sha256>,
        fails: false,
        examples: &[("SHA256('x')", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")],
    },
    Function {
        names: &["SHA384"],
        signature: "SHA384(string)",
        types: one_text,
        eval: hashed::<Sha384>,
        fails: false,
        examples: &[(
            "SHA384('x')",
            "d752c2c51fba0e29aa190570a9d4253e44077a058d3297fa3a5630d5bd012622f97c28acaed313b5c83bb990caa7da85",
        )],
    },
    Function {
        names: &["SHA512"],
        signature: "SHA512(string)",
        types: one_text,
        eval: hashed::<Sha512>,
        fails: false,
        examples: &[(
            "SHA512('x')",
            "a4abd4448c49562d828115d13a1fccea927f52b4d5459297f8b43e42da89238bc13626e43dcb38ddb082488927ec904fb42057443983e88585179d50551afe62",
        )],
    },
    Function {
        names: &["SHA2"],
        signature: "SHA2(string, bits)",
        types: |args| match args.get(1).and_then(|bits| bits.literal) {
            Some(ScalarValue::Int32(Some(bits))) if !matches!(bits, 1 | 224 | 256 | 384 | 512) => {
                Err(format!("has 224, 256, 384 or 512 bits, not {bits}"))
            }
            _ => fixed(args, 2, &[Param::Text, Param::Int], DataType::Utf8),
        },
        eval: sha2,
        fails: true,
        examples: &[
            ("SHA2('', 224)", "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f"),
            ("SHA2('x', CAST(NULL AS INT))", "null"),
        ],
    },
];

fn one_text(args: &[super::Arg<'_>]) -> Result<Typed, String> {
    fixed(args, 1, &[Param::Text], DataType::Utf8)
}

fn digest<D: Digest>(text: &str, out: &mut String) {
    encoding::push_hex(&D::digest(text.as_bytes()), encoding::LOWER, out);
}

fn hashed<D: Digest>(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    call.write_texts(|row, out| Ok(text.get(row).map(|text| digest::<D>(text, out)).is_some()))
}

/// The hash that its bits name; 1 is SHA-1, as in Java.
fn sha2(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let bits = call.column::<Int32Array>(1)?;
    call.write_texts(|row, out| {
        let Some((text, bits)) = text.get(row).zip(bits.get(row)) else { return Ok(false) };
        match bits {
            224 => digest::<Sha224>(text, out),
            256 => digest::<Sha256>(text, out),
            384 => digest::<Sha384>(text, out),
            512 => digest::<Sha512>(text, out),
            1 => digest::<Sha1>(text, out),
            other => {
                return Err(Failed(format!("SHA2 has 224, 256, 384 or 512 bits, not {other}")));
            }
        }
        Ok(true)
    })
}
