//! What stands between two values of a document: closing brackets, opening ones, keys, members that are always the same.
//!
//! Documents of one source look alike, so the same two fields follow one another again and again. What stands between them
//! is made once and then copied in one piece: writing each bracket and key of its own cost a third of a WAF log's time.

use super::table::{Leaf, What};

/// Texts that were made, by the leaves on both sides. Keep it: that is what it is for.
#[derive(Debug)]
pub(super) struct Literals {
    /// By the leaf that follows.
    known: Vec<Known>,
}

/// The leaves before this one, each with the text between.
#[derive(Debug, Default)]
struct Known {
    texts: Vec<(usize, Box<[u8]>)>,
    /// The next to be forgotten.
    oldest: usize,
}

/// So many are kept for each leaf: records differ in which fields they have, but not at random.
const KEPT: usize = 8;

impl Literals {
    /// For documents of so many leaves.
    pub(super) fn new(leaves: usize) -> Self {
        let mut known = Vec::new();
        known.resize_with(leaves + 1, Known::default);
        Self { known }
    }

    /// What stands between the values of `last` and `next`. No leaf before means the start, a `next` behind the last leaf
    /// the end of the document.
    #[inline]
    pub(super) fn between(&mut self, leaves: &[Leaf], last: Option<usize>, next: usize) -> &[u8] {
        let before = last.unwrap_or(usize::MAX);
        let Some(known) = self.known.get_mut(next) else {
            return &[];
        };
        let number = match known.texts.iter().position(|(leaf, _)| *leaf == before) {
            Some(number) => number,
            None => known.add(before, text(leaves, last, next)),
        };
        &known.texts[number].1
    }
}

impl Known {
    #[cold]
    fn add(&mut self, before: usize, text: Vec<u8>) -> usize {
        let entry = (before, text.into());
        if self.texts.len() < KEPT {
            self.texts.push(entry);
            return self.texts.len() - 1;
        }
        let number = self.oldest;
        self.oldest = (number + 1) % KEPT;
        self.texts[number] = entry;
        number
    }
}

/// `},"event":{"kind":"alert","action":`, for instance.
fn text(leaves: &[Leaf], last: Option<usize>, next: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut open: &[&str] = &[];
    let mut is_first = true;
    let first = match last.and_then(|last| Some((last, leaves.get(last)?))) {
        Some((number, leaf)) => {
            open = &leaf.parents;
            is_first = false;
            number + 1
        }
        None => {
            out.push(b'{');
            0
        }
    };
    let between = leaves.get(first..next).unwrap_or_default();
    let constants = between.iter().filter(|leaf| matches!(leaf.what, What::Constant(_)));
    for leaf in constants.chain(leaves.get(next)) {
        let common = open.iter().zip(&leaf.parents).take_while(|(a, b)| a == b).count();
        out.extend(open.iter().skip(common).map(|_| b'}'));
        if !is_first {
            out.push(b',');
        }
        for parent in leaf.parents.iter().skip(common) {
            out.extend_from_slice(format!("\"{parent}\":{{").as_bytes());
        }
        open = &leaf.parents;
        is_first = false;
        out.extend_from_slice(leaf.key.as_bytes());
        if let What::Constant(value) = &leaf.what {
            out.extend_from_slice(value.as_bytes());
        }
    }
    if next >= leaves.len() {
        out.extend(open.iter().map(|_| b'}'));
        out.extend_from_slice(b"}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(path: &'static str, what: What) -> Leaf {
        let mut parents: Vec<&'static str> = path.split('.').collect();
        let key = format!("\"{}\":", parents.pop().unwrap_or_default());
        let copied = None;
        Leaf {
            parents,
            key,
            what,
            copied,
        }
    }

    #[test]
    fn brackets_keys_and_constants_stand_between_two_values() {
        let leaves = [
            leaf("a.b.c", What::Row(0)),
            leaf("a.b.d", What::Row(1)),
            leaf("a.e", What::Constant("\"x\"".to_owned())),
            leaf("f", What::Row(2)),
        ];
        let mut literals = Literals::new(leaves.len());
        for _ in 0..2 {
            for (last, next, expected) in [
                (None, 0, r#"{"a":{"b":{"c":"#),
                (Some(0), 1, r#","d":"#),
                (Some(1), 3, r#"},"e":"x"},"f":"#),
                (None, 3, r#"{"a":{"e":"x"},"f":"#),
                (Some(0), 4, "},\"e\":\"x\"}}\n"),
                (Some(3), 4, "}\n"),
                (None, 4, "{\"a\":{\"e\":\"x\"}}\n"),
            ] {
                let text = literals.between(&leaves, last, next);
                assert_eq!(String::from_utf8_lossy(text), expected);
            }
        }
    }

    #[test]
    fn what_is_forgotten_is_made_again() {
        let leaves: Vec<Leaf> = (0..2 * KEPT).map(|_| leaf("a", What::Row(0))).collect();
        let mut literals = Literals::new(leaves.len());
        for _ in 0..3 {
            for last in 0..2 * KEPT {
                assert_eq!(literals.between(&leaves, Some(last), 2 * KEPT), b"}\n");
            }
        }
    }
}
