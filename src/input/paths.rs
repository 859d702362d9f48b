//! Which files are meant: a file, everything in a directory, or a pattern.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

/// A path that was asked for leads nowhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// There is no such file, or it may not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// What was looked at.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No file matches the pattern.
    #[error("no file matches {pattern}; `*` and `?` stand for characters of one name")]
    NoMatch {
        /// The pattern.
        pattern: String,
    },
}

/// The files that `text` means, sorted: `-` is standard input, a directory means every file below it, `*` and `?` match
/// within one name. Names that start with a dot are left out unless they are written out; links to directories are not
/// followed within a directory.
///
/// # Errors
/// When there is nothing there.
pub fn expand(text: &str) -> Result<Vec<PathBuf>, PathError> {
    let path = Path::new(text);
    if text == "-" {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    if !text.contains(['*', '?']) || path.exists() {
        let about = fs::metadata(path).map_err(|source| PathError::Read {
            path: path.to_owned(),
            source,
        })?;
        if about.is_dir() {
            below(path, &mut found)?;
        } else {
            found.push(path.to_owned());
        }
    } else {
        let mut components: Vec<_> = path.components().collect();
        components.reverse();
        matching(PathBuf::new(), &mut components, &mut found)?;
        if found.is_empty() {
            return Err(PathError::NoMatch {
                pattern: text.to_owned(),
            });
        }
    }
    found.sort();
    Ok(found)
}

/// Every regular file below a directory.
fn below(directory: &Path, found: &mut Vec<PathBuf>) -> Result<(), PathError> {
    for path in names(directory)? {
        let about = fs::symlink_metadata(&path).map_err(|source| PathError::Read {
            path: path.clone(),
            source,
        })?;
        if about.is_dir() {
            below(&path, found)?;
        } else if path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// Follows the components, the next one last, branching where one is a pattern.
fn matching(place: PathBuf, rest: &mut Vec<Component<'_>>, found: &mut Vec<PathBuf>) -> Result<(), PathError> {
    let Some(component) = rest.pop() else {
        if place.is_dir() {
            below(&place, found)?;
        } else if place.is_file() {
            found.push(place);
        }
        return Ok(());
    };
    let name = component.as_os_str().to_string_lossy();
    if name.contains(['*', '?']) {
        let directory = if place.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &place
        };
        if directory.is_dir() {
            for path in names(directory)? {
                let Some(candidate) = path.file_name() else { continue };
                if is_match(&name, &candidate.to_string_lossy()) {
                    matching(place.join(candidate), rest, found)?;
                }
            }
        }
    } else {
        matching(place.join(component), rest, found)?;
    }
    rest.push(component);
    Ok(())
}

/// What is in a directory, without names that start with a dot.
fn names(directory: &Path) -> Result<Vec<PathBuf>, PathError> {
    let fail = |source| PathError::Read {
        path: directory.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

/// Whether a name matches a pattern of `*` and `?`, in time proportional to the product of their lengths.
fn is_match(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for wanted in pattern.chars() {
        let before = reached.clone();
        match wanted {
            '*' => {
                for at in 1..=name.len() {
                    reached[at] = reached[at] || reached[at - 1];
                }
            }
            _ => {
                reached[0] = false;
                for at in 1..=name.len() {
                    reached[at] = before[at - 1] && (wanted == '?' || wanted == name[at - 1]);
                }
            }
        }
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_within_one_name() {
        for (pattern, name, holds) in [
            ("*.gz", "a.gz", true),
            ("*.gz", ".gz", true),
            ("*.gz", "a.gz2", false),
            ("a?c*", "abc", true),
            ("a?c*", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*", "", true),
            ("?", "ä", true),
        ] {
            assert_eq!(is_match(pattern, name), holds, "{pattern} {name}");
        }
    }

    #[test]
    fn directories_and_patterns_become_sorted_files() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let root = folder.path();
        for name in ["b/2.log", "b/1.log", "c/3.log", "c/4.txt", ".git/5.log"] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("has one")).expect("writable");
            fs::write(path, "x").expect("writable");
        }
        for (asked, names) in [
            ("", &["b/1.log", "b/2.log", "c/3.log", "c/4.txt"][..]),
            ("*/*.log", &["b/1.log", "b/2.log", "c/3.log"]),
            ("b", &["b/1.log", "b/2.log"]),
            ("?", &["b/1.log", "b/2.log", "c/3.log", "c/4.txt"]),
            ("c/4.txt", &["c/4.txt"]),
        ] {
            let found = expand(&root.join(asked).to_string_lossy()).expect(asked);
            let wanted: Vec<_> = names.iter().map(|name| root.join(name)).collect();
            assert_eq!(found, wanted, "{asked}");
        }
        for nowhere in ["*.zip", "d"] {
            expand(&root.join(nowhere).to_string_lossy()).expect_err(nowhere);
        }
    }
}
