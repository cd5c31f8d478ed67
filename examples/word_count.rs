//! Counts words, exactly once, until somebody interrupts it; started again, it goes on where it ended.
//!
//! ```text
//! cargo run --release --example word_count &
//! echo '{"text": "the mill and the stream"}' | millstream topic produce lines --log word-count-data
//! millstream topic consume counts --log word-count-data
//! ```

use millstream::typed::Program;
use millstream::{Job, Topology, TopologyError};
use serde::{Deserialize, Serialize};

/// A record of the topic `lines`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Words with blanks between.
    pub text: String,
}

/// How often each word occurs in the topic `lines`: the records of the topic `counts`, by word.
pub fn word_count() -> Result<Topology, TopologyError> {
    let program = Program::new();
    let lines = program.read::<Line>("lines");
    let words =
        lines.flat_map(|line| line.text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>());
    words.key_by(|word| word.clone()).count().to("counts");
    program.topology()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(Job::builder("word-count").directory("word-count-data").topic("lines", 2).run(&word_count()?)?)
}
