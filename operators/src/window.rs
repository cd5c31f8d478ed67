//! Windows over event time, and the panes they are made of.

use crate::batch::{END_OF_TIME, EventTime, NO_WATERMARK};
use std::ops::RangeInclusive;

/// Windows over event time. Lengths in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Length of a window.
    pub(crate) size_ms: i64,
    /// Distance between the starts of two windows; the size for tumbling ones.
    pub(crate) slide_ms: i64,
    /// Start of one of the windows, relative to 1970.
    offset_ms: i64,
    /// Whether windows of the same start grow by the slide until they have their length.
    cumulates: bool,
    /// Whether each row has been put into one window, of which its time is the last millisecond.
    assigned: bool,
}

/// In how many windows a row may be: each of them has its rows emitted.
const WINDOWS_MAX: i64 = 100_000;

impl Window {
    /// Windows of a minute.
    pub(crate) const MINUTE: Window =
        Window { size_ms: 60_000, slide_ms: 60_000, offset_ms: 0, cumulates: false, assigned: false };

    /// Windows of `size_ms` that start every `slide_ms`.
    ///
    /// # Errors
    /// A sentence that says what is wrong, when the size is no multiple of the slide, or one of them is not positive.
    pub fn new(size_ms: i64, slide_ms: i64, offset_ms: i64) -> Result<Self, String> {
        if size_ms <= 0 || slide_ms <= 0 {
            return Err("the length and the slide of a window have to be longer than nothing".to_owned());
        }
        if size_ms / slide_ms > WINDOWS_MAX {
            return Err(format!(
                "a row would be in {} windows; it may be in {WINDOWS_MAX} at most, as in windows of a day that begin \
                 every second",
                size_ms / slide_ms
            ));
        }
        if size_ms % slide_ms != 0 {
            return Err(format!(
                "a window of {size_ms} ms can't slide by {slide_ms} ms: the size has to be a multiple of the slide; \
                 choose for example a size of {} ms",
                (size_ms / slide_ms + 1) * slide_ms
            ));
        }
        let offset_ms = offset_ms.rem_euclid(slide_ms);
        Ok(Window { size_ms, slide_ms, offset_ms, cumulates: false, assigned: false })
    }

    /// Windows that start every `size_ms`: of `step_ms`, of twice that, and so on up to `size_ms`.
    ///
    /// # Errors
    /// As [`Window::new`].
    pub fn cumulating(size_ms: i64, step_ms: i64, offset_ms: i64) -> Result<Self, String> {
        let window = Window::new(size_ms, step_ms, offset_ms)?;
        Ok(Window { offset_ms: offset_ms.rem_euclid(size_ms), cumulates: true, ..window })
    }

    /// The same windows, of rows that are in one each: of a window that hops a row's time, its last millisecond, does not
    /// say by itself which of several it is.
    #[must_use]
    pub fn of_assigned(self) -> Self {
        Window { assigned: true, ..self }
    }

    /// Whether each time is in one window.
    pub(crate) fn is_tumbling(&self) -> bool {
        self.size_ms == self.slide_ms
    }

    /// The windows that a time is in, by their ends, the first first.
    pub(crate) fn ends_of(&self, time: EventTime) -> impl Iterator<Item = EventTime> + use<> {
        let (first, slide_ms) = (self.pane_end(time), self.slide_ms);
        let last = self.last_window_of(first);
        std::iter::successors(Some(first), move |end| end.checked_add(slide_ms).filter(|end| *end <= last))
    }

    /// The panes that the window that ends at a time is made of, by their ends.
    pub(crate) fn panes_of(&self, end: EventTime) -> RangeInclusive<EventTime> {
        if self.assigned { end..=end } else { self.start(end).saturating_add(1)..=end }
    }

    /// Start of the window that ends at a time.
    pub(crate) fn start(&self, end: EventTime) -> EventTime {
        match self.cumulates {
            false => end.saturating_sub(self.size_ms),
            true => self.first_start(end.saturating_sub(1)),
        }
    }

    /// Start of the cumulating windows that a time is in.
    fn first_start(&self, time: EventTime) -> EventTime {
        let past = (time.rem_euclid(self.size_ms) - self.offset_ms).rem_euclid(self.size_ms);
        time.saturating_sub(past)
    }

    /// The last start or end of a pane that is not after a time.
    #[inline]
    fn floor(&self, time: EventTime) -> EventTime {
        let offset_ms = self.offset_ms % self.slide_ms;
        let past = (time.rem_euclid(self.slide_ms) - offset_ms).rem_euclid(self.slide_ms);
        time.saturating_sub(past)
    }

    /// End of the pane that a time belongs to; the end itself is not part of it.
    #[inline]
    pub(crate) fn pane_end(&self, time: EventTime) -> EventTime {
        self.floor(time).saturating_add(self.slide_ms)
    }

    /// End of the last window that a pane is part of.
    pub(crate) fn last_window_of(&self, pane_end: EventTime) -> EventTime {
        match self.cumulates {
            _ if self.assigned => pane_end,
            false => pane_end.saturating_add(self.size_ms - self.slide_ms),
            true => self.first_start(pane_end.saturating_sub(1)).saturating_add(self.size_ms),
        }
    }

    /// End of the last window that closes when the watermark is `watermark`.
    pub(crate) fn last_closed(&self, watermark: EventTime) -> EventTime {
        match watermark {
            NO_WATERMARK | END_OF_TIME => watermark,
            watermark => self.floor(watermark + 1),
        }
    }

    pub(crate) fn describe(&self) -> String {
        let offset = if self.offset_ms == 0 { String::new() } else { format!(" from {} ms", self.offset_ms) };
        let offset = if self.assigned { format!("{offset}, as assigned") } else { offset };
        if self.cumulates {
            format!("cumulating {} ms by {} ms{offset}", self.size_ms, self.slide_ms)
        } else if self.is_tumbling() {
            format!("tumbling {} ms{offset}", self.size_ms)
        } else {
            format!("hopping {} ms every {} ms{offset}", self.size_ms, self.slide_ms)
        }
    }
}
