//! Partitions of keys, against Kafka's own Java client.

use millstream_operators::sink::{murmur2, partition_for_key};
use std::fmt::Write as _;

/// Reads keys in hexadecimal, one a line; writes for each its hash and its partition among so many.
const JAVA: &str = r#"
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.Utils;

public class Partitions {
    public static void main(String[] args) throws Exception {
        StringBuilder out = new StringBuilder();
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            byte[] key = HexFormat.of().parseHex(line);
            out.append(Utils.murmur2(key));
            for (int at = 1; at < args.length; at++) {
                int count = Integer.parseInt(args[at]);
                int partition = BuiltInPartitioner.partitionForKey(key, count);
                if (partition != Utils.toPositive(Utils.murmur2(key)) % count) {
                    throw new IllegalStateException("the client has changed its mind");
                }
                out.append(' ').append(partition);
            }
            out.append('\n');
        }
        System.out.print(out);
    }
}
"#;

/// Partition counts: 1, powers of two, primes, and one that is neither.
const COUNTS: [u32; 7] = [1, 2, 3, 8, 97, 1_000, 2_147_483_647];

/// Random bytes of every length up to 300, and keys that people have.
fn keys() -> Vec<Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let mut keys: Vec<Vec<u8>> = Vec::new();
    for length in 0..=300 {
        keys.extend((0..3).map(|_| (0..length).map(|_| byte()).collect::<Vec<u8>>()));
    }
    let fixed = ["0", "a", "42", "user-1", "größe", "\u{1f600}", "{\"id\":1}", "2026-01-01T00:00:00Z"];
    keys.extend(fixed.map(|key| key.as_bytes().to_vec()));
    for length in 1..=9 {
        keys.extend([0x00, 0x7f, 0x80, 0xff].map(|byte| vec![byte; length]));
    }
    keys.extend([0_i64, 1, -1, i64::MAX, i64::MIN].map(|number| number.to_be_bytes().to_vec()));
    keys
}

#[test]
fn partitions_are_those_of_the_java_client() {
    let keys = keys();
    let mut hex = String::new();
    for key in &keys {
        key.iter().for_each(|byte| write!(hex, "{byte:02x}").expect("a string takes everything"));
        hex.push('\n');
    }
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), hex).expect("a temporary file");
    let path = file.path().display().to_string();
    let counts = COUNTS.map(|count| count.to_string());
    let arguments: Vec<&str> = [path.as_str()].into_iter().chain(counts.iter().map(String::as_str)).collect();
    let Some(said) = millstream_test_support::kafka::run_source("Partitions.java", JAVA, &arguments) else {
        return;
    };
    assert_eq!(said.lines().count(), keys.len());
    for (line, key) in said.lines().zip(&keys) {
        let mut ours = (murmur2(key) as i32).to_string();
        for count in COUNTS {
            write!(ours, " {}", partition_for_key(key, count)).expect("a string takes everything");
        }
        assert_eq!(ours, line, "key {key:02x?}");
    }
}
