//! URLs from files, as container engines and systemd provide secrets.

use super::ConfigError;
use std::path::{Path, PathBuf};

/// Maximum size of a file with a URL, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// A URL, and a file that contains one. A source of settings may give at most one of them.
type GivenUrl = (Option<String>, Option<PathBuf>);

/// Returns the URL from the first of these sources that has one, and the file that it comes from. The sources are in
/// order of precedence.
///
/// # Errors
///
/// Returns an error if a source gives a URL and a file, or if the file cannot be read. Never repeats its content.
pub(super) fn url_setting(name: &str, sources: [GivenUrl; 2]) -> Result<GivenUrl, ConfigError> {
    for (url, file) in sources {
        match (url.filter(|url| !url.is_empty()), file.filter(|file| !file.as_os_str().is_empty())) {
            (None, None) => {}
            (Some(url), None) => return Ok((Some(url), None)),
            (None, Some(file)) => return read_url(name, &file).map(|url| (Some(url), Some(file))),
            (Some(_), Some(_)) => {
                return Err(ConfigError(format!("{name}: set either {name} or {name}-file, not both")));
            }
        }
    }
    Ok((None, None))
}

fn read_url(name: &str, file: &Path) -> Result<String, ConfigError> {
    let wrong = |error: &dyn std::fmt::Display| ConfigError(format!("{name}-file: {}: {error}", file.display()));
    let size = file.metadata().map_err(|error| wrong(&error))?.len();
    if size > MAX_FILE_BYTES {
        return Err(wrong(&"the file is too large for a URL"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    match text.trim() {
        "" => Err(wrong(&"the file is empty")),
        url => Ok(url.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_comes_from_a_file_without_its_line_feed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("secret");
        std::fs::write(&file, "postgres://ann:hush@db/x\n").unwrap();
        let (none, url) = ((None, None), "postgres://ann:hush@db/x".to_owned());
        let in_file = (None, Some(file.clone()));
        let found = Ok::<_, String>((Some(url.clone()), Some(file.clone())));
        let of = |sources| url_setting("database-url", sources).map_err(|error| error.to_string());
        assert_eq!(of([in_file.clone(), (Some("sqlite://x".to_owned()), None)]), found);
        assert_eq!(of([none.clone(), in_file]), found);
        assert_eq!(of([(Some(url.clone()), None), none.clone()]), Ok((Some(url.clone()), None)));
        assert_eq!(of([(Some(String::new()), Some("".into())), none.clone()]), Ok(none.clone()));
        let both = of([(Some(url), Some(file)), none.clone()]).unwrap_err();
        assert!(both.contains("database-url-file") && !both.contains("hush"), "{both}");
        for (name, content) in [("empty", " \n"), ("none", "")] {
            let file = directory.path().join(name);
            if name != "none" {
                std::fs::write(&file, content).unwrap();
            }
            let error = url_setting("redis-url", [(None, Some(file)), none.clone()]).unwrap_err().to_string();
            assert!(error.contains("redis-url-file") && error.contains(name), "{error}");
        }
    }
}
