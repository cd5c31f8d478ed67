//! Words by language, of texts and of how they were liked: SQL that calls functions written in Rust.
//!
//! ```text
//! cargo run --release --example user_functions &
//! echo '{"text": "the mill and the stream", "stars": 4}' | millstream topic produce reviews --log reviews-data
//! millstream topic consume words --log reviews-data
//! ```

use millstream::Job;
use millstream::sql::functions::{Aggregate, FunctionError, Functions};
use millstream::sql::{SqlErrors, SqlJob};

/// The job.
const SQL: &str = "
CREATE TABLE reviews (text STRING, stars INT) WITH ('connector' = 'kafka', 'topic' = 'reviews', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset');
CREATE TABLE words (word STRING, times BIGINT, liked DOUBLE, PRIMARY KEY (word) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'words', 'key.format' = 'raw', 'value.format' = 'json');
INSERT INTO words SELECT singular(word), COUNT(*), geometric_mean(stars)
FROM reviews, LATERAL TABLE(words(text)) AS w (word) GROUP BY singular(word);
";

/// What the SQL calls. A function that computes something else gets another version.
pub fn functions() -> Result<Functions, FunctionError> {
    let mut functions = Functions::new();
    functions.scalar("singular", 1, |word: &str| word.strip_suffix('s').unwrap_or(word).to_owned())?;
    functions.table("words", 1, &["word"], |text: &str| {
        text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>()
    })?;
    let mean = Aggregate::new(
        |(sum, count): &mut (f64, u32), value: f64| {
            *sum += value.ln();
            *count += 1;
        },
        |(sum, count): &(f64, u32)| (*count > 0).then(|| (sum / f64::from(*count)).exp()),
    );
    functions.aggregate(
        "geometric_mean",
        1,
        mean.merge(|(sum, count), (more, others)| {
            *sum += more;
            *count += others;
        }),
    )?;
    Ok(functions)
}

/// The planned job.
pub fn job(functions: &Functions) -> Result<SqlJob, SqlErrors> {
    functions.plan("words.sql", SQL)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let job = job(&functions()?)?;
    Ok(Job::builder("words").directory("reviews-data").topic("reviews", 2).run(&job.topology)?)
}
