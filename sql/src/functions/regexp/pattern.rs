//! Patterns that run: compiled once, kept for the next batch, and matched as Java's matcher goes along.

use super::super::Failed;
use super::backtrack::Program;
use super::java::{self, Problem};
use super::node::{LINE_ENDS, Node};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// How many patterns a thread keeps.
const KEPT_MAX: usize = 128;

/// Where a group begins and ends.
pub(super) type Span = (usize, usize);

/// A pattern.
#[derive(Debug)]
pub(in super::super) struct Pattern {
    /// Without going back: in time that is linear in the text.
    linear: Option<regex::Regex>,
    /// Going back where it must; made when it is needed.
    backtracking: OnceCell<Option<Program>>,
    node: Node,
    groups: usize,
    looks_at_end: bool,
}

/// The patterns of a call.
#[derive(Debug, Default)]
pub(in super::super) struct Patterns {
    last: Option<(String, Option<Rc<Pattern>>)>,
}

thread_local! {
    static KEPT: RefCell<HashMap<String, Option<Rc<Pattern>>>> = RefCell::default();
}

impl Patterns {
    /// The pattern of a text; `None` where Java takes it for none.
    ///
    /// # Errors
    /// When it can't be run here.
    pub(in super::super) fn get(&mut self, regex: &str) -> Result<Option<Rc<Pattern>>, Failed> {
        if let Some((last, pattern)) = &self.last
            && last == regex
        {
            return Ok(pattern.clone());
        }
        let pattern = match KEPT.with_borrow(|kept| kept.get(regex).cloned()) {
            Some(pattern) => pattern,
            None => {
                let pattern = Pattern::new(regex)?.map(Rc::new);
                KEPT.with_borrow_mut(|kept| {
                    if kept.len() >= KEPT_MAX {
                        kept.clear();
                    }
                    kept.insert(regex.to_owned(), pattern.clone());
                });
                pattern
            }
        };
        self.last = Some((regex.to_owned(), pattern.clone()));
        Ok(pattern)
    }
}

impl Pattern {
    fn new(regex: &str) -> Result<Option<Self>, Failed> {
        let refused = |what: &str| Failed(format!("the regular expression '{regex}' {what}"));
        let (node, groups) = match java::read(regex) {
            Ok(read) => read,
            Err(Problem::Invalid) => return Ok(None),
            Err(Problem::Unsupported(what)) => {
                return Err(refused(&format!("has {what}, which is not supported")));
            }
        };
        let linear = match node.linear().map(|linear| regex::Regex::new(&linear)) {
            Some(Ok(linear)) => Some(linear),
            Some(Err(_)) => return Err(refused("is too large")),
            None => None,
        };
        let looks_at_end = node.looks_at_end();
        let pattern = Pattern { linear, backtracking: OnceCell::new(), node, groups, looks_at_end };
        match pattern.linear.is_none() && pattern.backtracking().is_none() {
            true => Err(refused("is too large")),
            false => Ok(Some(pattern)),
        }
    }

    fn backtracking(&self) -> Option<&Program> {
        self.backtracking.get_or_init(|| Program::new(&self.node, self.groups)).as_ref()
    }

    /// How many groups there are, with the whole match.
    pub(super) fn groups(&self) -> usize {
        self.groups + 1
    }

    /// The one without going back, where it may match this text.
    fn linear(&self, text: &str) -> Option<&regex::Regex> {
        self.linear.as_ref().filter(|_| !(self.looks_at_end && text.ends_with(LINE_ENDS)))
    }

    pub(super) fn is_match(&self, text: &str) -> Result<bool, Failed> {
        match self.linear(text) {
            Some(linear) => Ok(linear.is_match(text)),
            None => Ok(self.captures_at(text, 0)?.is_some()),
        }
    }

    /// The first match from a place on.
    fn find_at(&self, text: &str, at: usize) -> Result<Option<Span>, Failed> {
        match self.linear(text) {
            Some(linear) => Ok(linear.find_at(text, at).map(|found| (found.start(), found.end()))),
            None => Ok(self.captures_at(text, at)?.and_then(|groups| groups.first().copied().flatten())),
        }
    }

    /// The groups of the first match from a place on, with the whole one as the first.
    pub(super) fn captures_at(&self, text: &str, at: usize) -> Result<Option<Vec<Option<Span>>>, Failed> {
        if let Some(linear) = self.linear(text) {
            let found = linear.captures_at(text, at);
            return Ok(found.map(|groups| {
                groups.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect()
            }));
        }
        let program = self.backtracking().ok_or(Failed::from("the regular expression is too large"))?;
        let found = program.captures_at(text, at);
        found.map_err(|_| Failed::from("the regular expression takes too many steps on this text"))
    }

    /// All matches, one behind the other.
    pub(super) fn matches<'m>(&'m self, text: &'m str) -> impl Iterator<Item = Result<Span, Failed>> + 'm {
        let mut at = Some(0);
        std::iter::from_fn(move || {
            let found = self.find_at(text, at?).transpose()?;
            at = found.as_ref().ok().and_then(|found| next_place(text, *found));
            Some(found)
        })
    }

    /// The parts between matches as Java splits: none in front of an empty match at the beginning, and without a limit
    /// no empty ones at the end.
    pub(in super::super) fn split<'t>(&self, text: &'t str, limit: usize) -> Result<Vec<&'t str>, Failed> {
        let mut parts = Vec::new();
        let mut behind = 0;
        for found in self.matches(text) {
            let (start, end) = found?;
            if limit > 0 && parts.len() + 1 == limit {
                break;
            }
            if end > 0 {
                parts.push(&text[behind..start]);
                behind = end;
            }
        }
        if behind == 0 {
            return Ok(vec![text]);
        }
        parts.push(&text[behind..]);
        while limit == 0 && parts.last().is_some_and(|last| last.is_empty()) {
            parts.pop();
        }
        Ok(parts)
    }
}

/// Where the next match is looked for; one character on behind an empty match.
pub(super) fn next_place(text: &str, (start, end): Span) -> Option<usize> {
    match start == end {
        false => Some(end),
        true => text[end..].chars().next().map(|char| end + char.len_utf8()),
    }
}
