//! Hostile inputs, out of the files in `tests/hostile`: one a line, bytes that are not printable ASCII as `\xNN`.

/// Returns the inputs of a file. Empty lines and comments (`# `) are skipped.
pub fn lines(file: &str) -> Vec<Vec<u8>> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let inputs = text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    inputs.map(decode).collect()
}

/// Returns the inputs of a file as text; panics if one is not UTF-8.
pub fn texts(file: &str) -> Vec<String> {
    lines(file).into_iter().map(|line| String::from_utf8(line).expect("UTF-8")).collect()
}

fn decode(line: &str) -> Vec<u8> {
    let mut parts = line.split("\\x");
    let mut bytes = parts.next().expect("a first part").as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two hexadecimal digits"));
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

/// Every byte but letters and digits as `%NN`, for an address.
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") })
        .collect()
}
