//! Matches by going back, as Java does: for what the `regex` crate can't, with a limit to the steps.

use super::node::{Anchor, Greed, LINE_ENDS, Node};

/// How many instructions an expression may have.
const INSTRUCTIONS_MAX: usize = 50_000;

/// How many steps a search may take, and how many more for each byte of the text.
const STEPS_MAX: usize = 1_000_000;
const STEPS_PER_BYTE: usize = 64;

/// Where a group begins and ends.
pub(super) type Span = (usize, usize);

#[derive(Debug)]
enum Step {
    Char(char),
    Class(usize),
    /// Goes on at the first; where that leads nowhere, at the second.
    Split(usize, usize),
    Jump(usize),
    /// Keeps the place as one end of a group.
    Save(usize),
    At(Anchor),
    BackReference(usize, bool),
    /// Looks for a match of the steps that follow, up to `end`; behind the place where it says so, with so many
    /// characters at least and at most.
    Look {
        behind: Option<Span>,
        negative: bool,
        end: usize,
    },
    /// Matches the steps that follow, up to `end`, and does not go back into them.
    Atomic {
        end: usize,
    },
    /// Keeps the place where a round of a loop begins.
    Round(usize),
    /// Begins the next round, unless this one has matched nothing.
    Again {
        mark: usize,
        next: usize,
    },
    Accept,
}

/// The characters of a class.
#[derive(Debug)]
struct Class {
    ascii: u128,
    others: regex::Regex,
}

impl Class {
    fn new(class: &str) -> Option<Self> {
        let others = regex::Regex::new(&format!("^(?:{class})$")).ok()?;
        let is_in = |code: u8| others.is_match(char::from(code).encode_utf8(&mut [0; 4]));
        let ascii = (0..128_u8).filter(|code| is_in(*code)).fold(0, |set, code| set | 1_u128 << code);
        Some(Class { ascii, others })
    }

    fn has(&self, char: char) -> bool {
        match char.is_ascii() {
            true => self.ascii >> (char as u32) & 1 == 1,
            false => self.others.is_match(char.encode_utf8(&mut [0; 4])),
        }
    }
}

/// An expression as steps.
#[derive(Debug)]
pub(super) struct Program {
    steps: Vec<Step>,
    classes: Vec<Class>,
    marks: usize,
    groups: usize,
}

/// More steps than there may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooManySteps;

impl Program {
    /// `None` where it is too large.
    pub(super) fn new(node: &Node, groups: usize) -> Option<Self> {
        let mut program = Program { steps: Vec::new(), classes: Vec::new(), marks: 0, groups };
        program.add(node)?;
        program.steps.push(Step::Accept);
        Some(program)
    }

    fn push(&mut self, step: Step) -> Option<usize> {
        self.steps.push(step);
        (self.steps.len() <= INSTRUCTIONS_MAX).then(|| self.steps.len() - 1)
    }

    fn add(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Char(char) => self.push(Step::Char(*char)).map(|_| ())?,
            Node::Class(class) => {
                self.classes.push(Class::new(class)?);
                self.push(Step::Class(self.classes.len() - 1))?;
            }
            Node::Seq(nodes) => nodes.iter().try_for_each(|node| self.add(node))?,
            Node::Alt(nodes) => self.add_alternatives(nodes)?,
            Node::Repeat { node, min, max, greed: Greed::Possessive } => {
                let inner = Node::Repeat { node: node.clone(), min: *min, max: *max, greed: Greed::Greedy };
                self.add(&Node::Atomic(Box::new(inner)))?;
            }
            Node::Repeat { node, min, max, greed } => self.add_repeated(node, *min, *max, *greed)?,
            Node::Group(node, group) => {
                self.push(Step::Save(group * 2))?;
                self.add(node)?;
                self.push(Step::Save(group * 2 + 1))?;
            }
            Node::Look { node, behind, negative } => {
                let behind = match (behind, node.width()) {
                    (true, (least, most)) => Some((least, most?)),
                    (false, _) => None,
                };
                let at = self.push(Step::Look { behind, negative: *negative, end: 0 })?;
                self.add_inner(node)?;
                self.steps[at] = Step::Look { behind, negative: *negative, end: self.steps.len() };
            }
            Node::Atomic(node) => {
                let at = self.push(Step::Atomic { end: 0 })?;
                self.add_inner(node)?;
                self.steps[at] = Step::Atomic { end: self.steps.len() };
            }
            Node::BackReference(group, ignores_case) => {
                self.push(Step::BackReference(*group, *ignores_case))?;
            }
            Node::At(place) => self.push(Step::At(*place)).map(|_| ())?,
        }
        Some(())
    }

    fn add_inner(&mut self, node: &Node) -> Option<()> {
        self.add(node)?;
        self.push(Step::Accept).map(drop)
    }

    fn add_alternatives(&mut self, nodes: &[Node]) -> Option<()> {
        let mut jumps = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            if index + 1 == nodes.len() {
                self.add(node)?;
                break;
            }
            let split = self.push(Step::Jump(0))?;
            self.add(node)?;
            jumps.push(self.push(Step::Jump(0))?);
            self.steps[split] = Step::Split(split + 1, self.steps.len());
        }
        for jump in jumps {
            self.steps[jump] = Step::Jump(self.steps.len());
        }
        Some(())
    }

    fn add_repeated(&mut self, node: &Node, min: u32, max: Option<u32>, greed: Greed) -> Option<()> {
        let split = |first: usize, second: usize| match greed {
            Greed::Lazy => Step::Split(second, first),
            _ => Step::Split(first, second),
        };
        for _ in 0..min {
            self.add(node)?;
        }
        let Some(max) = max else {
            let mark = self.marks;
            self.marks += 1;
            let start = self.push(Step::Jump(0))?;
            self.push(Step::Round(mark))?;
            self.add(node)?;
            self.push(Step::Again { mark, next: start })?;
            self.steps[start] = split(start + 1, self.steps.len());
            return Some(());
        };
        let mut starts = Vec::new();
        for _ in min..max {
            starts.push(self.push(Step::Jump(0))?);
            self.add(node)?;
        }
        for start in starts {
            self.steps[start] = split(start + 1, self.steps.len());
        }
        Some(())
    }

    /// The groups of the first match from a place on.
    pub(super) fn captures_at(
        &self,
        text: &str,
        at: usize,
    ) -> Result<Option<Vec<Option<Span>>>, TooManySteps> {
        let mut run = Run {
            program: self,
            text,
            saved: vec![None; 2 * self.groups + 2],
            marks: vec![usize::MAX; self.marks],
            back: Vec::new(),
            left: STEPS_MAX.saturating_add(STEPS_PER_BYTE.saturating_mul(text.len())),
        };
        let rest = text.get(at..).unwrap_or_default();
        for start in rest.char_indices().map(|(byte, _)| at + byte).chain([text.len()]) {
            if let Some(end) = run.matched(0, start, None)? {
                run.saved[0] = Some(start);
                run.saved[1] = Some(end);
                let ends = run.saved.chunks(2);
                return Ok(Some(ends.map(|ends| ends[0].zip(ends[1])).collect()));
            }
        }
        Ok(None)
    }
}

/// What is undone or tried when a way leads nowhere.
enum Back {
    Try(usize, usize),
    Saved(usize, Option<usize>),
    Mark(usize, usize),
}

struct Run<'p> {
    program: &'p Program,
    text: &'p str,
    saved: Vec<Option<usize>>,
    marks: Vec<usize>,
    back: Vec<Back>,
    left: usize,
}

impl Run<'_> {
    /// Where the match ends that begins with a step at a place, and ends at another one where it is said. What else can
    /// be tried is dropped.
    fn matched(
        &mut self,
        step: usize,
        place: usize,
        end: Option<usize>,
    ) -> Result<Option<usize>, TooManySteps> {
        let base = self.back.len();
        let (mut step, mut place) = (step, place);
        loop {
            self.left = self.left.checked_sub(1).ok_or(TooManySteps)?;
            let next = match &self.program.steps[step] {
                Step::Accept if end.is_none_or(|end| end == place) => {
                    // What was saved is still undone when the way that led here is given up.
                    let kept = self.back.split_off(base);
                    self.back.extend(kept.into_iter().filter(|back| !matches!(back, Back::Try(_, _))));
                    return Ok(Some(place));
                }
                other => self.step(other, step, place)?,
            };
            match next.or_else(|| self.go_back(base)) {
                Some(next) => (step, place) = next,
                None => return Ok(None),
            }
        }
    }

    fn go_back(&mut self, base: usize) -> Option<(usize, usize)> {
        while self.back.len() > base {
            match self.back.pop()? {
                Back::Try(step, place) => return Some((step, place)),
                Back::Saved(slot, old) => self.saved[slot] = old,
                Back::Mark(mark, old) => self.marks[mark] = old,
            }
        }
        None
    }

    /// Where a step leads; `None` for nowhere.
    fn step(
        &mut self,
        found: &Step,
        step: usize,
        place: usize,
    ) -> Result<Option<(usize, usize)>, TooManySteps> {
        let next = self.text[place..].chars().next();
        let consumed = |is: bool| next.filter(|_| is).map(|char| (step + 1, place + char.len_utf8()));
        Ok(match found {
            Step::Char(char) => consumed(next == Some(*char)),
            Step::Class(class) => consumed(next.is_some_and(|char| self.program.classes[*class].has(char))),
            Step::Split(first, second) => {
                self.back.push(Back::Try(*second, place));
                Some((*first, place))
            }
            Step::Jump(to) => Some((*to, place)),
            Step::Save(slot) => {
                self.back.push(Back::Saved(*slot, self.saved[*slot]));
                self.saved[*slot] = Some(place);
                Some((step + 1, place))
            }
            Step::At(kind) => is_at(*kind, self.text, place).then_some((step + 1, place)),
            Step::BackReference(group, ignores_case) => {
                let length = self.same_as(*group, *ignores_case, place);
                length.map(|length| (step + 1, place + length))
            }
            Step::Look { behind, negative, end } => {
                let found = self.looked(*behind, step + 1, place)?;
                (found != *negative).then_some((*end, place))
            }
            Step::Atomic { end } => self.matched(step + 1, place, None)?.map(|place| (*end, place)),
            Step::Round(mark) => {
                self.back.push(Back::Mark(*mark, self.marks[*mark]));
                self.marks[*mark] = place;
                Some((step + 1, place))
            }
            Step::Again { mark, next } => {
                Some((if self.marks[*mark] == place { step + 1 } else { *next }, place))
            }
            Step::Accept => None,
        })
    }

    fn same_as(&self, group: usize, ignores_case: bool, place: usize) -> Option<usize> {
        let saved = |slot: usize| self.saved.get(slot).copied().flatten();
        let matched = self.text.get(saved(group * 2)?..saved(group * 2 + 1)?)?;
        let here = self.text.get(place..place + matched.len())?;
        let same = if ignores_case { here.eq_ignore_ascii_case(matched) } else { here == matched };
        same.then_some(matched.len())
    }

    fn looked(&mut self, behind: Option<Span>, step: usize, place: usize) -> Result<bool, TooManySteps> {
        let Some((least, most)) = behind else { return Ok(self.matched(step, place, None)?.is_some()) };
        let before = &self.text[..place];
        let starts = before.char_indices().rev().map(|(byte, _)| byte);
        for (_, start) in
            [place].into_iter().chain(starts).enumerate().take(most.saturating_add(1)).skip(least)
        {
            if self.matched(step, start, Some(place))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn is_at(kind: Anchor, text: &str, place: usize) -> bool {
    let before = text[..place].chars().next_back();
    let rest = &text[place..];
    let next = rest.chars().next();
    let ends = |char: char, unix: bool| if unix { char == '\n' } else { LINE_ENDS.contains(&char) };
    let inside = |unix: bool| !unix && before == Some('\r') && next == Some('\n');
    match kind {
        Anchor::Start => place == 0,
        Anchor::End => next.is_none(),
        Anchor::LastLine { unix } => {
            let is_last = next.is_some_and(|char| ends(char, unix) && char.len_utf8() == rest.len());
            next.is_none() || (is_last && !inside(unix)) || (!unix && rest == "\r\n")
        }
        Anchor::LineStart { unix } => {
            next.is_some() && !inside(unix) && before.is_none_or(|char| ends(char, unix))
        }
        Anchor::LineEnd { unix } => next.is_none_or(|char| ends(char, unix) && !inside(unix)),
        Anchor::Word | Anchor::NoWord => {
            let is_word = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
            (is_word(before) != is_word(next)) == (kind == Anchor::Word)
        }
    }
}
