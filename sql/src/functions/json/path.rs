//! Paths into JSON, `lax $.a[0].b`, as Flink's library reads and follows them.
//!
//! A path with a wildcard, a list, a slice or `..` gives all it finds, in an array, also where that is nothing; any other
//! names one value, and to find none is an error, which `lax` passes over.

use super::scan::{Kind, NoJson, Scanner, Value, unescaped};
use super::write::{inner, push_text, push_value};

/// How many steps a path may have.
const STEPS_MAX: usize = 100;

/// How many values a path may find.
const FOUND_MAX: usize = 1_000_000;

/// A path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) lax: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    /// The members with these names, as an object.
    Names(Vec<String>),
    Index(i64),
    Indices(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    All,
    /// All values below, and the value itself, before the step that follows.
    Deep,
}

/// How many steps from the first on name one value each; several names do at the end, where they make an object.
fn definite(steps: &[Step]) -> usize {
    let names_one = |place: usize, step: &Step| match step {
        Step::Name(_) | Step::Index(_) => true,
        Step::Names(_) => place + 1 == steps.len(),
        _ => false,
    };
    steps.iter().enumerate().take_while(|(place, step)| names_one(*place, step)).count()
}

/// Why a path is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadPath {
    /// Flink takes it for none: that is an error of each value.
    Invalid,
    /// Flink knows it, and here it is not followed.
    Unsupported(&'static str),
}

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'t> {
    One(Value<'t>),
    /// An array or an object put together of what was found, as it is written.
    Made(String),
    /// Nothing, in a `lax` path.
    Nothing,
}

/// Why a path leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Miss {
    NoJson,
    NotFound,
    /// All of the text is `null`, into which no path leads.
    NullRoot,
    TooMuch,
}

impl From<NoJson> for Miss {
    fn from(_: NoJson) -> Self {
        Miss::NoJson
    }
}

impl Path {
    pub(super) fn parse(text: &str) -> Result<Self, BadPath> {
        let (lax, spec) = mode(text);
        let mut reader = Reader { chars: spec.trim_matches(|char| char <= ' ').chars().collect(), at: 0 };
        if reader.chars.is_empty() {
            return Err(BadPath::Invalid);
        }
        let mut steps = Vec::new();
        match reader.peek() {
            Some('$' | '@') => reader.at += 1,
            // A path without a root begins at it.
            _ => reader.name_or_all(&mut steps)?,
        }
        while reader.at < reader.chars.len() {
            reader.step(&mut steps)?;
            if steps.len() > STEPS_MAX {
                return Err(BadPath::Unsupported("so many steps"));
            }
        }
        match steps.last() {
            Some(Step::Deep) => Err(BadPath::Invalid),
            Some(Step::Names(_)) if definite(&steps) < steps.len() => {
                Err(BadPath::Unsupported("several names behind a step that finds several values"))
            }
            _ => Ok(Path { lax, steps }),
        }
    }

    /// Whether it names one value.
    fn is_definite(&self) -> bool {
        definite(&self.steps) == self.steps.len()
    }

    /// Follows the path in a text, all of which is read.
    pub(super) fn follow<'t>(&self, text: &'t str) -> Result<Found<'t>, Miss> {
        let found = self.followed(text);
        match found {
            Err(Miss::NoJson) if self.lax => Ok(Found::Nothing),
            Err(Miss::NotFound) if self.lax && self.is_definite() => Ok(Found::Nothing),
            Err(Miss::NotFound) if self.lax => Ok(Found::Made("[]".to_owned())),
            Ok(Found::One(value)) if value.kind == Kind::Null && !self.lax => Err(Miss::NotFound),
            found => found,
        }
    }

    fn followed<'t>(&self, text: &'t str) -> Result<Found<'t>, Miss> {
        let root = super::scan::value(text)?;
        if root.kind == Kind::Null {
            return Err(Miss::NullRoot);
        }
        // Up to the first step that finds several, each has to find its value.
        let (named, several) = self.steps.split_at(definite(&self.steps));
        let Some(first) = several.first() else { return one(named, root) };
        let Found::One(start) = one(named, root)? else { return Err(Miss::NotFound) };
        let fits = match first {
            Step::Indices(_) | Step::Slice(_, _) => start.kind == Kind::Array,
            Step::Names(_) => start.kind == Kind::Object,
            _ => true,
        };
        if !fits {
            return Err(Miss::NotFound);
        }
        let mut found = vec![start];
        let mut deep = false;
        for step in several {
            let mut next = Vec::new();
            for value in found {
                match deep {
                    true => below(value, &mut |value| each(step, value, &mut next))?,
                    false => each(step, value, &mut next)?,
                }
            }
            deep = *step == Step::Deep;
            found = next;
        }
        let mut array = String::from("[");
        for (index, value) in found.into_iter().enumerate() {
            if index > 0 {
                array.push(',');
            }
            push_value(value, &mut array)?;
        }
        array.push(']');
        Ok(Found::Made(array))
    }
}

/// The value that steps name, each of them one.
fn one<'t>(steps: &[Step], root: Value<'t>) -> Result<Found<'t>, Miss> {
    let mut value = root;
    for (place, step) in steps.iter().enumerate() {
        let found = match (step, value.kind) {
            (Step::Name(name), Kind::Object) => member(value, name)?,
            (Step::Index(index), Kind::Array) => element(value, *index)?,
            (Step::Names(names), Kind::Object) if place + 1 == steps.len() => {
                return Ok(Found::Made(members(value, names)?));
            }
            _ => None,
        };
        value = found.ok_or(Miss::NotFound)?;
    }
    Ok(Found::One(value))
}

/// The mode in front of a path, and the path.
fn mode(text: &str) -> (bool, &str) {
    let trimmed = text.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    for (word, lax) in [("lax", true), ("strict", false)] {
        let behind = trimmed.get(word.len()..).filter(|_| trimmed[..word.len()].eq_ignore_ascii_case(word));
        if let Some(spec) = behind.filter(|behind| behind.starts_with([' ', '\t', '\n', '\r'])) {
            return (lax, spec);
        }
    }
    (false, text)
}

fn member<'t>(object: Value<'t>, wanted: &str) -> Result<Option<Value<'t>>, NoJson> {
    let mut found = None;
    Scanner::new(object.text).members(|scanner, name| {
        let value = scanner.value(0)?;
        if name == wanted || (name.contains('\\') && unescaped(name) == wanted) {
            found = Some(value);
        }
        Ok(())
    })?;
    Ok(found)
}

fn members(object: Value<'_>, names: &[String]) -> Result<String, NoJson> {
    let mut out = String::from("{");
    for name in names {
        let Some(value) = member(object, name)? else { continue };
        if out.len() > 1 {
            out.push(',');
        }
        push_text(name, &mut out);
        out.push(':');
        push_value(value, &mut out)?;
    }
    out.push('}');
    Ok(out)
}

fn elements<'t>(array: Value<'t>) -> Result<Vec<Value<'t>>, NoJson> {
    let mut found = Vec::new();
    Scanner::new(array.text).elements(|scanner, _| {
        found.push(scanner.value(0)?);
        Ok(())
    })?;
    Ok(found)
}

fn element(array: Value<'_>, index: i64) -> Result<Option<Value<'_>>, NoJson> {
    if index < 0 {
        let all = elements(array)?;
        let place = all.len().checked_sub(index.unsigned_abs() as usize);
        return Ok(place.and_then(|place| all.get(place).copied()));
    }
    let mut found = None;
    Scanner::new(array.text).elements(|scanner, place| {
        let value = scanner.value(0)?;
        if place as i64 == index {
            found = Some(value);
        }
        Ok(())
    })?;
    Ok(found)
}

/// All that a step finds in a value.
fn each<'t>(step: &Step, value: Value<'t>, found: &mut Vec<Value<'t>>) -> Result<(), Miss> {
    match (step, value.kind) {
        (Step::Name(name), Kind::Object) => found.extend(member(value, name)?),
        (Step::Names(names), Kind::Object) => {
            for name in names {
                found.extend(member(value, name)?);
            }
        }
        (Step::Index(index), Kind::Array) => found.extend(element(value, *index)?),
        (Step::Indices(indices), Kind::Array) => {
            for index in indices {
                found.extend(element(value, *index)?);
            }
        }
        (Step::Slice(from, to), Kind::Array) => {
            let all = elements(value)?;
            let length = all.len() as i64;
            let place =
                |place: i64| (if place < 0 { place + length } else { place }).clamp(0, length) as usize;
            let (from, to) = (from.map_or(0, place), to.map_or(all.len(), place));
            found.extend(all.get(from..to).unwrap_or_default());
        }
        (Step::All, Kind::Array) => found.extend(elements(value)?),
        (Step::All, Kind::Object) => found.extend(values(value)?),
        (Step::Deep, _) => found.push(value),
        _ => {}
    }
    if found.len() > FOUND_MAX { Err(Miss::TooMuch) } else { Ok(()) }
}

/// The values of an object's members; of equal names the last one, where the first one stands.
fn values<'t>(object: Value<'t>) -> Result<Vec<Value<'t>>, NoJson> {
    let mut names = std::collections::HashMap::new();
    let mut found: Vec<Value<'t>> = Vec::new();
    Scanner::new(object.text).members(|scanner, name| {
        let value = scanner.value(0)?;
        match names.get(&unescaped(name)) {
            Some(place) => found[*place] = value,
            None => {
                names.insert(unescaped(name), found.len());
                found.push(value);
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// A value, and then all values below it.
fn below<'t>(value: Value<'t>, visit: &mut impl FnMut(Value<'t>) -> Result<(), Miss>) -> Result<(), Miss> {
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        visit(value)?;
        let mut inside = match value.kind {
            Kind::Array => elements(value)?,
            Kind::Object => values(value)?,
            _ => continue,
        };
        inside.reverse();
        waiting.append(&mut inside);
    }
    Ok(())
}

/// The text of a value that is no array and no object; `None` for `null`.
pub(super) fn scalar_text(value: Value<'_>) -> Option<std::borrow::Cow<'_, str>> {
    match value.kind {
        Kind::Text => Some(unescaped(inner(value.text))),
        Kind::Number => {
            let mut out = String::new();
            super::write::push_number(value.text, &mut out);
            Some(out.into())
        }
        Kind::Bool => Some(value.text.into()),
        _ => None,
    }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self, char: char) -> bool {
        let found = self.peek() == Some(char);
        self.at += usize::from(found);
        found
    }

    fn skip_blanks(&mut self) {
        while self.peek() == Some(' ') {
            self.at += 1;
        }
    }

    fn step(&mut self, steps: &mut Vec<Step>) -> Result<(), BadPath> {
        if self.take('[') {
            return self.brackets(steps);
        }
        if !self.take('.') {
            return Err(BadPath::Invalid);
        }
        if self.take('.') {
            steps.push(Step::Deep);
        }
        match self.take('[') {
            true => self.brackets(steps),
            false => self.name_or_all(steps),
        }
    }

    /// A name up to the next point or bracket, or `*`.
    fn name_or_all(&mut self, steps: &mut Vec<Step>) -> Result<(), BadPath> {
        let mut name = String::new();
        while let Some(char) = self.peek().filter(|char| !matches!(char, '.' | '[')) {
            match char {
                ' ' => return Err(BadPath::Invalid),
                '(' => return Err(BadPath::Unsupported("functions")),
                char => name.push(char),
            }
            self.at += 1;
        }
        match name.as_str() {
            "" => return Err(BadPath::Invalid),
            "*" => steps.push(Step::All),
            _ => steps.push(Step::Name(name)),
        }
        Ok(())
    }

    /// Behind a bracket.
    fn brackets(&mut self, steps: &mut Vec<Step>) -> Result<(), BadPath> {
        self.skip_blanks();
        match self.peek().ok_or(BadPath::Invalid)? {
            '?' => return Err(BadPath::Unsupported("filters")),
            '*' => {
                self.at += 1;
                steps.push(Step::All);
            }
            '\'' | '"' => steps.push(self.names()?),
            _ => steps.push(self.places()?),
        }
        self.skip_blanks();
        if self.take(']') { Ok(()) } else { Err(BadPath::Invalid) }
    }

    fn names(&mut self) -> Result<Step, BadPath> {
        let mut names = Vec::new();
        loop {
            self.skip_blanks();
            let quote = self.peek().filter(|char| matches!(char, '\'' | '"')).ok_or(BadPath::Invalid)?;
            self.at += 1;
            let mut name = String::new();
            loop {
                let char = self.peek().ok_or(BadPath::Invalid)?;
                self.at += 1;
                match char {
                    '\\' => {
                        name.push(self.peek().ok_or(BadPath::Invalid)?);
                        self.at += 1;
                    }
                    char if char == quote => break,
                    char => name.push(char),
                }
            }
            names.push(name);
            self.skip_blanks();
            if !self.take(',') {
                break;
            }
        }
        match names.len() {
            1 => Ok(Step::Name(names.remove(0))),
            _ => Ok(Step::Names(names)),
        }
    }

    /// `1`, `0,2` or `1:3`.
    fn places(&mut self) -> Result<Step, BadPath> {
        let mut text = String::new();
        while let Some(char) = self.peek().filter(|char| *char != ']') {
            if !matches!(char, '0'..='9' | '-' | ',' | ':' | ' ') {
                return Err(BadPath::Invalid);
            }
            text.push(char);
            self.at += 1;
        }
        let number = |text: &str| text.trim().parse::<i32>().map(i64::from).map_err(|_| BadPath::Invalid);
        if let Some((from, to)) = text.split_once(':') {
            let end = |text: &str| if text.trim().is_empty() { Ok(None) } else { number(text).map(Some) };
            let (from, to) = (end(from)?, end(to)?);
            return if from.is_none() && to.is_none() {
                Err(BadPath::Invalid)
            } else {
                Ok(Step::Slice(from, to))
            };
        }
        let places = text.split(',').map(number).collect::<Result<Vec<_>, _>>()?;
        match places.as_slice() {
            [place] => Ok(Step::Index(*place)),
            _ => Ok(Step::Indices(places)),
        }
    }
}
