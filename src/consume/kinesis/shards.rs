//! Which shards may be read. Pure.

use std::collections::BTreeSet;

use super::api::Shard;

/// The shards that may be read now: not yet at their end, and behind every parent that is there.
///
/// A parent that is not listed has no records any more. `ended` are shards that were read to their end.
pub(super) fn readable<'a>(shards: &'a [Shard], ended: &BTreeSet<String>) -> Vec<&'a Shard> {
    let listed: BTreeSet<&str> = shards.iter().map(|shard| shard.id.as_str()).collect();
    let is_over = |parent: &String| ended.contains(parent) || !listed.contains(parent.as_str());
    shards
        .iter()
        .filter(|shard| !ended.contains(&shard.id) && shard.parents.iter().all(is_over))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: &str, parents: &[&str]) -> Shard {
        Shard {
            id: id.to_owned(),
            parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
        }
    }

    #[test]
    fn a_child_waits_for_all_its_parents_and_not_for_what_is_gone() {
        // a split into b and c; c and d merged into e; f's parent was trimmed away.
        let shards = [
            shard("a", &[]),
            shard("b", &["a"]),
            shard("c", &["a"]),
            shard("d", &[]),
            shard("e", &["c", "d"]),
            shard("f", &["gone"]),
        ];
        for (ended, expected) in [
            (&[][..], &["a", "d", "f"][..]),
            (&["a"], &["b", "c", "d", "f"]),
            (&["a", "c"], &["b", "d", "f"]),
            (&["a", "c", "d"], &["b", "e", "f"]),
            (&["a", "b", "c", "d", "e", "f"], &[]),
        ] {
            let ended = ended.iter().map(|&id| id.to_owned()).collect();
            let ids: Vec<&str> = readable(&shards, &ended)
                .iter()
                .map(|shard| shard.id.as_str())
                .collect();
            assert_eq!(ids, expected, "{ended:?}");
        }
    }
}
