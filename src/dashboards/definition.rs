//! What stands in a panel file: one shape for every page, strictly read.

/// One page: a row of a menu and its panels.
#[derive(Clone, Debug, PartialEq)]
pub struct Dashboard {
    /// Name in URLs and of its file: `guardduty`.
    pub id: String,
    /// Title of the page and of its menu entry.
    pub title: String,
    /// The question that the page answers.
    pub question: String,
    /// Index that its panels read unless they name another: a source, `response`, or `*`.
    pub index: String,
    /// Panels in reading order.
    pub panels: Vec<Panel>,
}

/// One panel: a picture and the question that it answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Unique on its page.
    pub id: String,
    /// Title.
    pub title: String,
    /// The question it answers, in a few words.
    pub question: String,
    /// Width in columns of twelve.
    pub width: u8,
}
