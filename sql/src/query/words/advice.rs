//! What is wrong and what to do, in words.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
}

impl Words {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Words { message: message.into(), help: Some(help.into()) }
    }

    /// What a message says to do at its end, as the help that it is.
    pub(super) fn with_its_advice(self) -> Self {
        let advice = [": CAST ", "; CAST "].iter().filter_map(|words| self.message.rfind(words)).max();
        match advice {
            None => self,
            Some(at) => Words::new(&self.message[..at], &self.message[at + 2..]),
        }
    }
}
