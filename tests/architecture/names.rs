//! Rules of names and of the module graph: how doc blocks begin, that a name has one meaning, and that modules of one
//! folder form no cycle.

use super::{code, is_in, sources};
use std::collections::{BTreeMap, BTreeSet};

/// Words that no doc block may begin with: they hide the noun that the block is about (CONTRIBUTING.md, "Names and
/// prose").
const RIDDLES: [&str; 5] = ["What ", "Who ", "Whoever ", "How many ", "The same"];

/// Folders whose files follow another convention: SeaORM names the parts of each entity alike.
const ALIKE_BY_CONVENTION: [&str; 1] = ["server/store/entity/"];

/// The first line of every doc block in `text`, with its line number.
fn doc_openings(text: &str) -> Vec<(usize, &str)> {
    let doc = |line: &str| {
        let line = line.trim_start();
        ["/// ", "//! "].iter().find(|mark| line.starts_with(*mark)).map(|mark| mark.trim_end().to_owned())
    };
    let lines: Vec<&str> = text.lines().collect();
    let opens = |index: &usize| doc(lines[*index]).is_some() && (*index == 0 || doc(lines[*index - 1]).is_none());
    let openings = (0..lines.len()).filter(opens);
    openings.map(|index| (index + 1, lines[index].trim_start()[3..].trim_start())).collect()
}

#[test]
fn doc_blocks_begin_with_a_noun_or_a_verb() {
    let mut broken = Vec::new();
    for folder in ["src", "migrations/src", "benches", "frontend/src"] {
        for (name, text) in sources(folder) {
            for (number, opening) in doc_openings(&text) {
                if RIDDLES.iter().any(|riddle| opening.starts_with(riddle)) {
                    broken.push(format!("{folder}/{name}:{number} begins with {opening:?}"));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Words that no name of a function may begin with: a test says what holds.
const QUESTIONS: [&str; 4] = ["fn what_", "fn who_", "fn whoever_", "fn how_"];

#[test]
fn names_of_tests_are_statements() {
    let mut broken = Vec::new();
    for folder in ["src", "tests", "migrations/src", "benches", "frontend/src"] {
        for (name, text) in sources(folder) {
            let lines = text.lines().enumerate();
            let questions = lines.filter(|(_, line)| {
                let line = line.trim_start().trim_start_matches("async ");
                QUESTIONS.iter().any(|question| line.starts_with(question))
            });
            broken.extend(questions.map(|(index, line)| format!("{folder}/{name}:{}: {}", index + 1, line.trim())));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The type or constant that a line of code defines, if it stands at the outermost level.
fn defined(line: &str) -> Option<&str> {
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    if line.starts_with(' ') {
        return None;
    }
    let mut word = words.next()?;
    while ["pub", "crate", "super", "in", "server", "store", "unsafe"].contains(&word) {
        word = words.next()?;
    }
    ["struct", "enum", "trait", "type", "const", "static"].contains(&word).then(|| words.next()).flatten()
}

#[test]
fn a_name_has_one_meaning() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, text) in sources("src").into_iter().filter(|(name, _)| !is_in(name, &ALIKE_BY_CONVENTION)) {
        for (number, line) in code(&text) {
            if let Some(defined) = defined(line).filter(|defined| !["_", "fn"].contains(defined)) {
                places.entry(defined.to_owned()).or_default().push(format!("src/{name}:{number}"));
            }
        }
    }
    let twice: Vec<String> = places
        .into_iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(name, places)| format!("{name}: {}", places.join(", ")))
        .collect();
    assert!(twice.is_empty(), "{}", twice.join("\n"));
}

/// The module path of a file below `src`.
fn module_of(name: &str) -> Vec<String> {
    let path = name.trim_end_matches(".rs").trim_end_matches("/mod");
    std::iter::once("crate").chain(path.split('/')).map(str::to_owned).collect()
}

/// The paths that a `use` tree or a path expression names, from `prefix` on; the rest of `text` is left alone.
fn paths(prefix: &[String], text: &str) -> Vec<Vec<String>> {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        let mut depth = 0;
        let mut members = vec![String::new()];
        for c in group.chars() {
            match c {
                '}' if depth == 0 => break,
                ',' if depth == 0 => members.push(String::new()),
                _ => {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    members.last_mut().expect("one at least").push(c);
                }
            }
        }
        return members.iter().filter(|member| !member.trim().is_empty()).flat_map(|it| paths(prefix, it)).collect();
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let mut path = prefix.to_vec();
    match &text[..end] {
        "super" => drop(path.pop()),
        "self" | "" => {}
        segment => path.push(segment.to_owned()),
    }
    match text[end..].strip_prefix("::") {
        Some(rest) if !rest.starts_with('<') => paths(&path, rest),
        _ => vec![path],
    }
}

/// The absolute paths that the code of module `own` names by `crate::` or `super::`.
fn references(own: &[String], text: &str) -> Vec<Vec<String>> {
    let code: String = code(text).map(|(_, line)| format!("{line}\n")).collect();
    let mut found = Vec::new();
    for (start, prefix) in [("crate::", &["crate".to_owned()][..]), ("super::", own)] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before.is_ascii_alphanumeric() || before == '_' || before == ':' {
                continue;
            }
            let rest = if start == "crate::" { &code[at + start.len()..] } else { &code[at..] };
            found.extend(paths(prefix, rest));
        }
    }
    found
}

/// The modules of `folder` that know each other in a circle, of the edges between them.
fn circle(mut edges: BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    loop {
        let leaves: Vec<String> =
            edges.iter().filter(|(_, known)| known.is_empty()).map(|(name, _)| name.clone()).collect();
        if leaves.is_empty() {
            return edges.into_iter().map(|(name, known)| format!("{name} -> {known:?}")).collect();
        }
        for leaf in leaves {
            edges.remove(&leaf);
            edges.values_mut().for_each(|known| known.retain(|name| *name != leaf));
        }
    }
}

#[test]
fn modules_of_a_folder_know_each_other_in_no_circle() {
    let files = sources("src");
    let modules: BTreeSet<Vec<String>> = files.keys().map(|name| module_of(name)).collect();
    let inside = |module: &Vec<String>| ["server", "ui"].contains(&module.get(1).map_or("", String::as_str));
    let folders: BTreeSet<Vec<String>> =
        modules.iter().filter(|it| inside(it)).map(|module| module[..module.len() - 1].to_vec()).collect();
    let mut broken = Vec::new();
    for folder in folders.iter().filter(|folder| folder.len() > 1) {
        let depth = folder.len();
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, text) in &files {
            let own = module_of(name);
            if !own.starts_with(folder) || own.len() == depth {
                continue;
            }
            let known = edges.entry(own[depth].clone()).or_default();
            for path in references(&own, text) {
                let is_sibling = path.starts_with(folder)
                    && path.len() > depth
                    && path[depth] != own[depth]
                    && modules.iter().any(|module| module.starts_with(&path[..=depth]));
                if is_sibling {
                    known.insert(path[depth].clone());
                }
            }
        }
        let circle = circle(edges);
        if !circle.is_empty() {
            broken.push(format!("{}:\n  {}", folder.join("::"), circle.join("\n  ")));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_rules_of_names_and_modules_find_what_breaks_them() {
    assert_eq!(doc_openings("/// What\n/// is it?\nfn f() {}\n//! Who\n"), [(1, "What"), (4, "Who")]);
    assert_eq!(defined("pub(crate) struct Room<T> {"), Some("Room"));
    assert_eq!(defined("const LIMIT: usize = 1;"), Some("LIMIT"));
    assert_eq!((defined("    const INNER: u8 = 1;"), defined("fn type_of() {}")), (None, None));
    let own = module_of("server/hub/tail.rs");
    let named = |text| references(&own, text).iter().map(|path| path.join("::")).collect::<Vec<_>>();
    assert_eq!(
        named("use super::{self, frame::{Frame, X as Y}};\nuse crate::domain::Seq;"),
        [
            "crate::domain::Seq",
            "crate::server::hub",
            "crate::server::hub::frame::Frame",
            "crate::server::hub::frame::X"
        ],
    );
    let edges = |pairs: &[(&str, &str)]| {
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in pairs {
            edges.entry((*from).into()).or_default().insert((*to).into());
            edges.entry((*to).into()).or_default();
        }
        edges
    };
    assert!(circle(edges(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    assert_eq!(circle(edges(&[("a", "b"), ("b", "a"), ("c", "a"), ("b", "d")])).len(), 3);
}
