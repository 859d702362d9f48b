use super::{build::expand, *};

#[test]
fn braces_stand_for_all_combinations() {
    assert_eq!(
        expand("a.{b,c[]}.d.{e,f}"),
        ["a.b.d.e", "a.b.d.f", "a.c[].d.e", "a.c[].d.f"]
    );
}

#[test]
fn the_same_path_has_one_slot() {
    let mut trie = Trie::new(false);
    assert_eq!(trie.add("a.b | c"), (vec![0, 1], true));
    assert_eq!(trie.add("c"), (vec![1], false));
    assert_eq!(trie.add("d[].e"), (vec![2], false));
    assert_eq!(trie.add("h[name=host].value"), (vec![3], false));
    assert_eq!(trie.add(""), (vec![], false));
}

#[test]
fn a_member_of_the_envelope_is_not_one_of_the_record() {
    let mut trie = Trie::new(false);
    assert_eq!(trie.add("id"), (vec![0], false));
    assert_eq!(trie.add("^time | ^detail.name | ^time"), (vec![1, 2], true));
    trie.wrap(&["detail.findings"]);
    let root = trie.node(Trie::ROOT);
    assert!(root.children.iter().any(|child| &*child.key == b"time"));
    let (_, detail) = trie.child(root, b"detail").expect("the envelope");
    let (_, name) = trie.child(trie.node(detail.node), b"name").expect("its member");
    assert_eq!(trie.node(name.node).slot, Some(2));
    let (_, body) = trie.child(trie.node(detail.node), b"findings").expect("the record");
    assert!(trie.child(trie.node(body.node), b"id").is_some() && trie.child(trie.node(body.node), b"time").is_none());
    assert_eq!(trie.envelope_slots().collect::<Vec<_>>(), [(1, 1), (2, 2)]);
}

#[test]
fn a_member_that_both_have_is_the_records_until_it_is_found_inside() {
    let mut trie = Trie::new(false);
    assert_eq!(trie.add("region | ^region"), (vec![0, 1], true));
    trie.wrap(&["detail"]);
    let root = trie.node(Trie::ROOT);
    let member = |of, key: &[u8]| trie.child(of, key).map(|(_, child)| trie.node(child.node));
    let outer = member(root, b"region").expect("the envelope's");
    assert_eq!((outer.slot, outer.envelope), (Some(0), Some(1)));
    let detail = member(root, b"detail").expect("the record");
    let inner = member(detail, b"region").expect("its own");
    assert_eq!((inner.slot, inner.envelope), (Some(0), None));
    assert_eq!(trie.envelope_slots().collect::<Vec<_>>(), [(0, 1)]);
}

#[test]
fn a_key_is_found_among_many_in_either_spelling() {
    let mut trie = Trie::new(true);
    let names: Vec<&'static str> = vec![
        "id",
        "arn",
        "type",
        "region",
        "service",
        "severity",
        "title",
        "Description",
    ];
    for name in &names {
        trie.add(name);
    }
    let root = trie.node(Trie::ROOT);
    for (number, name) in names.iter().enumerate() {
        assert_eq!(
            trie.child(root, name.as_bytes()).map(|(number, _)| number),
            Some(number),
            "{name}"
        );
    }
    assert!(trie.child(root, b"Severity").is_some() && trie.child(root, b"description").is_some());
    assert!(trie.child(root, b"sEverity").is_none() && trie.child(root, b"").is_none());
}
