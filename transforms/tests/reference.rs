//! The committed field reference says what the tables say.

use std::{fs, path::Path};

use portcullis_transforms::{Source, Type, reference};

#[test]
fn the_pages_are_those_of_the_tables() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/fields");
    let pages = Source::ALL
        .iter()
        .map(|&source| (format!("{source}.md"), reference::page(source)));
    for (name, page) in pages.chain([("README.md".to_owned(), reference::index())]) {
        let committed = fs::read_to_string(folder.join(&name)).unwrap_or_default();
        // Not assert_eq: two whole pages would bury the one line that says what to do.
        assert!(
            committed == page,
            "docs/fields/{name} is out of date: run `cargo xtask fields`"
        );
    }
}

#[test]
fn a_page_has_a_row_for_every_field_and_every_row_has_four_cells() {
    for &source in Source::ALL {
        let page = reference::page(source);
        for field in source.fields() {
            let start = format!("| `{}` | {} |", field.name, field.ty.name());
            assert_eq!(
                page.lines().filter(|line| line.starts_with(&start)).count(),
                1,
                "{source} {}",
                field.name
            );
        }
        for row in page.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 5, "{source}: {row}");
        }
        assert!(
            Type::ALL
                .iter()
                .all(|ty| page.contains(&format!("`{}` {}", ty.name(), ty.meaning())))
        );
    }
}
