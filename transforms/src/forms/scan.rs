//! Where values stand in JSON, without reading them: enough to take a list apart, not to judge what is in it.
//!
//! Brackets are counted, not matched, and words are not looked at; an element that is no JSON is refused later, alone,
//! by the normaliser.

use std::ops::Range;

use crate::document::string_end;

/// The first place at or after `at` that is no white space.
pub(super) fn skip_space(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// Where the value that starts at `at` ends; `None` when the text ends first, or there is no value.
pub(super) fn value_end(text: &[u8], mut at: usize) -> Option<usize> {
    let start = at;
    let mut open = 0_usize;
    loop {
        match *text.get(at)? {
            // A bracket or a quote behind a word, which is then none.
            b'"' | b'{' | b'[' if open == 0 && at > start => return None,
            b'"' => {
                at = behind_string(text, at)?;
                if open == 0 {
                    return Some(at);
                }
                continue;
            }
            b'{' | b'[' => open += 1,
            b'}' | b']' => match open {
                0 => return (at > start).then_some(at),
                1 => return Some(at + 1),
                _ => open -= 1,
            },
            _ if open > 0 => {}
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => return (at > start).then_some(at),
            // A number or word at the very end of the text ends with it.
            _ if at + 1 == text.len() => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
}

/// Where the string whose opening quote stands at `at` ends, behind its closing quote, if it has one.
fn behind_string(text: &[u8], at: usize) -> Option<usize> {
    let end = string_end(text, at + 1);
    (end < text.len()).then_some(end + 1)
}

/// Hands each member of the object at the start of `text` to `each`: its raw name, and where its value stands. The answer
/// is where the object ends; `None` when it is no whole object.
pub(super) fn members<'t>(text: &'t [u8], mut each: impl FnMut(&'t [u8], Range<usize>)) -> Option<usize> {
    let mut at = opened(text, b'{')?;
    if text.get(at) == Some(&b'}') {
        return Some(at + 1);
    }
    loop {
        if text.get(at) != Some(&b'"') {
            return None;
        }
        let end = behind_string(text, at)?;
        let name = &text[at + 1..end - 1];
        at = skip_space(text, end);
        if text.get(at) != Some(&b':') {
            return None;
        }
        let start = skip_space(text, at + 1);
        let end = value_end(text, start)?;
        each(name, start..end);
        at = skip_space(text, end);
        match text.get(at)? {
            b',' => at = skip_space(text, at + 1),
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Hands each element of the array at the start of `text` to `each`; as [`members`].
pub(super) fn elements(text: &[u8], mut each: impl FnMut(Range<usize>)) -> Option<usize> {
    let mut at = opened(text, b'[')?;
    if text.get(at) == Some(&b']') {
        return Some(at + 1);
    }
    loop {
        let end = value_end(text, at)?;
        each(at..end);
        at = skip_space(text, end);
        match text.get(at)? {
            b',' => at = skip_space(text, at + 1),
            b']' => return Some(at + 1),
            _ => return None,
        }
    }
}

fn opened(text: &[u8], bracket: u8) -> Option<usize> {
    (text.first() == Some(&bracket)).then(|| skip_space(text, 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn parts(text: &str) -> Option<Vec<String>> {
        let mut parts = Vec::new();
        elements(text.as_bytes(), |range| parts.push(text[range].to_owned()))?;
        Some(parts)
    }

    #[test]
    fn elements_are_taken_apart_and_broken_lists_are_not() {
        for (text, expected) in [
            ("[]", Some(&[][..])),
            (
                "[ 1 , \"a]\\\"\" ,{\"b\":[{}]},nul]",
                Some(&["1", "\"a]\\\"\"", "{\"b\":[{}]}", "nul"]),
            ),
            ("[1", None),
            ("[1,]", None),
            ("[,1]", None),
            ("[\"a]", None),
            ("[\"\\", None),
            ("[1 2]", None),
            ("[x{\"a\":1}]", None),
            ("[1[2]]", None),
            ("[x\"a\"]", None),
            ("{}", None),
            ("", None),
        ] {
            let expected = expected.map(|list| list.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    /// Objects, lists and texts, as deep as they come.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[\\[\\]{}\",:\\\\a ]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::vec(("[\\[{}\",\\\\b]{0,4}", inner), 0..5)
                    .prop_map(|members| Value::from(members.into_iter().collect::<serde_json::Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_end_where_serde_json_ends_them(value in value(), pretty in any::<bool>(), rest in "[ ,\\]}]{0,3}") {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = text.expect("JSON");
            let whole = format!("{text}{rest}");
            prop_assert_eq!(value_end(whole.as_bytes(), 0), Some(text.len()));
            if let Value::Array(list) = &value {
                let parts = parts(&whole).expect("a list");
                let read: Vec<Value> = parts.iter().map(|part| serde_json::from_str(part).expect("JSON")).collect();
                prop_assert_eq!(&read, list);
            }
            if let Value::Object(object) = &value {
                let mut read = Vec::new();
                let end = members(whole.as_bytes(), |name, range| read.push((name.to_vec(), range)));
                prop_assert_eq!(end, Some(text.len()));
                prop_assert_eq!(read.len(), object.len());
                for ((name, range), (key, value)) in read.into_iter().zip(object) {
                    let quoted = [b"\"", &name[..], b"\""].concat();
                    prop_assert_eq!(&serde_json::from_slice::<String>(&quoted).expect("a name"), key);
                    prop_assert_eq!(&serde_json::from_str::<Value>(&whole[range]).expect("JSON"), value);
                }
            }
        }

        #[test]
        fn any_bytes_end(text in proptest::collection::vec(prop_oneof![
            Just(b'{'), Just(b'['), Just(b'}'), Just(b']'), Just(b'"'), Just(b'\\'), Just(b','), Just(b':'), any::<u8>(),
        ], 0..64)) {
            let mut last = 0;
            let ends = [value_end(&text, 0), members(&text, |_, range| last = range.end), elements(&text, |range| last = range.end)];
            prop_assert!(ends.into_iter().flatten().all(|end| end <= text.len()) && last <= text.len());
        }
    }
}
