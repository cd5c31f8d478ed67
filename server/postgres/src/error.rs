//! What goes wrong, as clients of PostgreSQL are told: a code of five characters, a message, and where.

/// Why a question is not answered, from whoever was asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    /// What kind of thing is wrong.
    pub reason: Reason,
    /// What is wrong.
    pub message: String,
    /// The code of millstream's that has a page, as `MS0501`.
    pub code: Option<&'static str>,
    /// Where in the text, in bytes.
    pub at: Option<usize>,
    /// What to do.
    pub help: Option<String>,
}

/// Kinds of what is wrong, each with a code of PostgreSQL's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reason {
    /// The text is no statement, or means nothing.
    Text,
    /// A table or a database is not there.
    Unknown,
    /// It takes more time, rows or memory than it may.
    Limit,
    /// It was asked to end.
    Cancelled,
    /// Something failed here or behind here.
    #[default]
    Failure,
}

/// An error or a notice of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) severity: &'static str,
    /// SQLSTATE.
    pub(crate) state: &'static str,
    pub(crate) message: String,
    pub(crate) detail: Option<String>,
    pub(crate) hint: Option<String>,
    /// The character of the text where it is, from 1.
    pub(crate) position: Option<usize>,
}

impl Trouble {
    pub(crate) fn new(state: &'static str, message: impl Into<String>) -> Self {
        Trouble {
            severity: "ERROR",
            state,
            message: message.into(),
            detail: None,
            hint: None,
            position: None,
        }
    }

    /// The client does not keep to the protocol: its connection ends.
    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Trouble { severity: "FATAL", ..Trouble::new("08P01", message) }
    }

    /// After which the connection ends.
    pub(crate) fn fatal(state: &'static str, message: impl Into<String>) -> Self {
        Trouble { severity: "FATAL", ..Trouble::new(state, message) }
    }

    pub(crate) fn notice(message: impl Into<String>) -> Self {
        Trouble { severity: "NOTICE", ..Trouble::new("00000", message) }
    }

    /// What is not supported, and what to do instead.
    pub(crate) fn unsupported(message: impl Into<String>, hint: &str) -> Self {
        Trouble { hint: Some(hint.to_owned()), ..Trouble::new("0A000", message) }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Trouble { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn at(self, position: Option<usize>) -> Self {
        Trouble { position: position.or(self.position), ..self }
    }

    pub(crate) fn is_fatal(&self) -> bool {
        self.severity == "FATAL"
    }

    /// The fields of its message.
    pub(crate) fn fields(&self) -> Vec<(u8, String)> {
        let mut fields = vec![
            (b'S', self.severity.to_owned()),
            (b'V', self.severity.to_owned()),
            (b'C', self.state.to_owned()),
            (b'M', self.message.clone()),
        ];
        fields.extend(self.detail.clone().map(|detail| (b'D', detail)));
        fields.extend(self.hint.clone().map(|hint| (b'H', hint)));
        fields.extend(self.position.map(|position| (b'P', position.to_string())));
        fields
    }
}

impl Refusal {
    /// As a client is told; `position` says where a byte of the text that was asked is in the client's.
    pub(crate) fn trouble(self, position: impl Fn(usize) -> Option<usize>) -> Trouble {
        let state = match (self.reason, self.code) {
            (Reason::Text, Some("MS0101" | "MS0102")) => "42601",
            (Reason::Text, Some("MS0103" | "MS0104" | "MS0502")) => "0A000",
            (Reason::Text, Some("MS0201")) => "42704",
            (Reason::Text, Some("MS0503")) => "54001",
            (Reason::Text, Some("MS0901")) => "XX000",
            (Reason::Text, _) => "42000",
            (Reason::Unknown, _) => "42P01",
            (Reason::Limit, _) => "54000",
            (Reason::Cancelled, _) => "57014",
            (Reason::Failure, _) => "58000",
        };
        let detail = self.code.map(|code| format!("{code}; millstream explain {code} says more"));
        let position = self.at.and_then(position);
        Trouble { detail, hint: self.help, position, ..Trouble::new(state, self.message) }
    }
}
