//! Lines of any bytes.

use super::{Input, Row, Rows, Shape, now_ms, wrong};

/// Every line, blank ones too.
pub(super) fn rows(input: Input, shape: Shape) -> Rows {
    let name = input.name.clone();
    Box::new(input.lines().map(move |line| {
        let (number, line) = line?;
        let (key, value) = shape.split(&line).map_err(|detail| wrong(&name, number, &detail))?;
        let (key, value) = (key.map(<[u8]>::to_vec), value.map(<[u8]>::to_vec));
        Ok(Row { line: number, key, value, timestamp_ms: now_ms(), ..Row::default() })
    }))
}
