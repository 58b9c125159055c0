//! Skeletons of names: two names that look alike have the same skeleton (UTS 39, section 4).

use crate::domain::Username;
use std::sync::LazyLock;
use unicode_security::skeleton;

/// Returns the one or two skeletons under which a name is claimed: names that share one count as the same. A name that
/// looks like `Anonymous` has none, because that name cannot be claimed.
///
/// One skeleton is that of the lowercase name, so that "ann" equals "Ann". But lowercasing separates names that looked
/// alike before: a capital I is confusable with an l, a small one is not. So the other skeleton is that of the name as
/// written, and "Ivy" also equals "lvy".
pub(crate) fn skeletons(name: &Username) -> Vec<String> {
    static NOBODY: LazyLock<Vec<String>> = LazyLock::new(|| both(&Username::anonymous()));
    let mut skeletons = both(name);
    if skeletons.iter().any(|skeleton| NOBODY.contains(skeleton)) {
        skeletons.clear();
    }
    skeletons
}

/// Returns the beginnings of skeletons of names that begin like `prefix`, or look as if they did.
///
/// Lowercasing a whole word ends it in the final form of a sigma, which the letter within a longer name does not have.
pub(crate) fn skeletons_of_prefix(prefix: &Username) -> Vec<String> {
    let by_letter: String = prefix.as_str().chars().flat_map(char::to_lowercase).collect();
    let mut skeletons = both(prefix);
    skeletons.push(skeleton(&by_letter).collect());
    skeletons.sort_unstable();
    skeletons.dedup();
    skeletons
}

fn both(name: &Username) -> Vec<String> {
    let of_lower_case = |name: &str| skeleton(&name.to_lowercase()).collect::<String>();
    let as_written: String = skeleton(name.as_str()).collect();
    let mut both = vec![of_lower_case(name.as_str()), of_lower_case(&as_written)];
    both.dedup();
    both
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn alike(one: &str, other: &str) -> bool {
        let [one, other] = [one, other].map(|name| skeletons(&Username::parse(name).unwrap()));
        one.iter().any(|skeleton| other.contains(skeleton))
    }

    #[test]
    fn names_that_look_alike_are_one() {
        for (one, other) in [
            ("Ann", "ann"),
            ("ALICE", "alice"),
            ("НИНА", "Нина"),
            ("Ann", "Аnn"),
            ("Hannah", "Нannah"),
            ("Ivy", "lvy"),
            ("Ivy", "IVY"),
            ("Paypal", "PaypaI"),
            ("paypal", "PaypaI"),
            ("Bob", "B0b"),
            ("Will", "Wi11"),
            ("modern", "modem"),
            ("Ann", "Ａｎｎ"),
        ] {
            assert!(alike(one, other) && alike(other, one), "{one} {other}");
        }
    }

    #[test]
    fn names_that_differ_are_two() {
        for (one, other) in [("Ann", "Anna"), ("Ann", "Ann-2"), ("Ali", "All"), ("Mila", "Mlla"), ("Zoë", "Zoe")] {
            assert!(!alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_name_begins_like_its_beginning() {
        for (name, prefix) in [
            ("Anonymous Fan", "Anonymous"),
            ("ΟΔΟΣΑΣ", "ΟΔΟΣ"),
            ("ΟΔΟΣ", "ΟΔΟΣ"),
            ("modern", "m"),
            ("Ivy", "iv"),
            ("Žofie", "ž"),
        ] {
            let (name, prefix) = (Username::parse(name).unwrap(), Username::parse(prefix).unwrap());
            let prefixes = skeletons_of_prefix(&prefix);
            let begins = |held: &String| prefixes.iter().any(|prefix| held.starts_with(prefix));
            assert!(skeletons(&name).iter().any(begins), "{name} {prefix}");
        }
    }

    #[test]
    fn a_name_that_resembles_anonymous_cannot_be_claimed() {
        for name in ["Anonymous", "anonymous", "ANONYMOUS", "An0nymous", "Аnonymous", "Anonyrnous"] {
            assert!(skeletons(&Username::parse(name).unwrap()).is_empty(), "{name}");
        }
        assert!(!skeletons(&Username::parse("Anonymous-2").unwrap()).is_empty());
    }

    #[test]
    fn a_skeleton_fits_into_an_index() {
        // PostgreSQL takes keys of 2704 bytes, a name has 256: no character may grow to more than ten times its size.
        for c in '\0'..='\u{3ffff}' {
            let length: usize = skeleton(c.encode_utf8(&mut [0; 4])).map(char::len_utf8).sum();
            let grown = length > 10 * c.len_utf8();
            assert!(!grown || Username::parse(&c.to_string()).is_ok_and(|name| name.as_str() != c.to_string()), "{c}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_itself_in_any_case(raw in "[a-zA-Zà-žа-яА-Я0-9 ]{1,20}") {
            if let Ok(name) = Username::parse(&raw) {
                prop_assert!(alike(name.as_str(), &name.as_str().to_lowercase()));
            }
        }
    }
}
