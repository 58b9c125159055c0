//! Group 6 of the case list: text must be UTF-8, and invalid text is detected. The sequences are those of Markus Kuhn's
//! decoder stress test, in the list's order.

use super::case::{Case, Step};
use super::wire::{CONTINUATION, Frame, Seen, TEXT};

const NOT_UTF8: &[u16] = &[1007];

const GREEK: &[u8] = "κόσμε".as_bytes();
const EVERYDAY: &str = "Hello-µ@ßöäüàá-UTF-8!!";

/// All of group 6.
pub fn cases() -> Vec<Case> {
    let mut cases = valid();
    cases.extend(late());
    for (at, sequences) in sequences().into_iter().enumerate() {
        for (within, sequence) in sequences.into_iter().enumerate() {
            let case = Case::new(format!("6.{}.{}", at + 5, within + 1)).send(Frame::new(TEXT, &sequence));
            cases.push(if is_utf8(&sequence) { case.expect(Seen::Text(sequence)) } else { case.closed(NOT_UTF8) });
        }
    }
    cases
}

/// By the table of RFC 3629, section 4, and not by the library that the server may use.
fn is_utf8(mut bytes: &[u8]) -> bool {
    let tail = |byte: &u8| matches!(byte, 0x80..=0xbf);
    loop {
        bytes = match bytes {
            [] => return true,
            [0x00..=0x7f, rest @ ..] => rest,
            [0xc2..=0xdf, a, rest @ ..] if tail(a) => rest,
            [0xe0, 0xa0..=0xbf, a, rest @ ..] | [0xed, 0x80..=0x9f, a, rest @ ..] if tail(a) => rest,
            [0xe1..=0xec | 0xee..=0xef, a, b, rest @ ..] if tail(a) && tail(b) => rest,
            [0xf0, 0x90..=0xbf, a, b, rest @ ..] | [0xf4, 0x80..=0x8f, a, b, rest @ ..] if tail(a) && tail(b) => rest,
            [0xf1..=0xf3, a, b, c, rest @ ..] if tail(a) && tail(b) && tail(c) => rest,
            _ => return false,
        }
    }
}

/// 6.1 and 6.2: valid text, however it is cut.
fn valid() -> Vec<Case> {
    let parts = |number: &str, parts: &[&str]| {
        let last = parts.len() - 1;
        let frame = |(at, part): (usize, &&str)| {
            let frame = Frame::new(if at == 0 { TEXT } else { CONTINUATION }, part);
            if at == last { frame } else { frame.unfinished() }
        };
        let frames: Vec<Frame> = parts.iter().enumerate().map(frame).collect();
        Case::new(number).send_all(&frames).expect(Seen::Text(parts.concat().into_bytes()))
    };
    vec![
        parts("6.1.1", &[""]),
        parts("6.1.2", &["", "", ""]),
        parts("6.1.3", &["", "middle frame payload", ""]),
        parts("6.2.1", &[EVERYDAY]),
        parts("6.2.2", &["Hello-µ@ßöä", "üàá-UTF-8!!"]),
        Case::new("6.2.3").fragmented(1, EVERYDAY.as_bytes()).expect(Seen::Text(EVERYDAY.into())),
        Case::new("6.2.4").fragmented(1, GREEK).expect(Seen::Text(GREEK.into())),
    ]
}

/// 6.3 and 6.4: text that becomes invalid on its way. Where that is the end of a frame, it is noticed there: nothing
/// more is sent. Within a frame it may be noticed at its end.
fn late() -> Vec<Case> {
    let surrogate = [GREEK, b"\xed\xa0\x80edited"].concat();
    let beyond = [GREEK, b"\xf4\x90\x80\x80edited"].concat();
    let fragments = |number: &str, cut: usize, end: usize| {
        Case::new(number)
            .send(Frame::new(TEXT, &beyond[..cut]).unfinished())
            .step(Step::Pause)
            .send(Frame::new(CONTINUATION, &beyond[cut..end]).unfinished())
            .closed(NOT_UTF8)
    };
    let pieces = |number: &str, cut: usize, end: usize| {
        let bytes = Frame::new(TEXT, &beyond).bytes();
        let head = bytes.len() - beyond.len();
        let piece = |from: usize, to: usize| Step::Send(bytes[from..to].to_vec());
        let case = Case::new(number).step(piece(0, head + cut)).step(Step::Pause).step(piece(head + cut, head + end));
        case.step(Step::Pause).step(piece(head + end, bytes.len())).closed(NOT_UTF8)
    };
    vec![
        Case::new("6.3.1").send(Frame::new(TEXT, &surrogate)).closed(NOT_UTF8),
        Case::new("6.3.2").fragmented(1, &surrogate).closed(NOT_UTF8),
        fragments("6.4.1", GREEK.len(), GREEK.len() + 4),
        fragments("6.4.2", GREEK.len() + 1, GREEK.len() + 2),
        pieces("6.4.3", GREEK.len(), GREEK.len() + 4),
        pieces("6.4.4", GREEK.len() + 1, GREEK.len() + 2),
    ]
}

/// 6.5 to 6.23.
fn sequences() -> Vec<Vec<Vec<u8>>> {
    let list = |sequences: &[&[u8]]| sequences.iter().map(|sequence| sequence.to_vec()).collect::<Vec<_>>();
    let cut: [&[u8]; 10] = [
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xf8\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xfb\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf",
    ];
    let mut continuation: Vec<Vec<u8>> = (1..=6).map(|length| b"\x80\xbf\x80\xbf\x80\xbf"[..length].to_vec()).collect();
    continuation.insert(1, b"\xbf".to_vec());
    continuation.push((0x80..0xbf).collect());
    let lonely = [0xc0..0xdf, 0xe0..0xef, 0xf0..0xf7, 0xf8..0xfb, 0xfc..0xfd];
    let lonely = lonely.map(|starts| starts.flat_map(|start: u8| [start, b' ']).collect());
    let planes = (0x1fffe..=0x10fffeu32).step_by(0x10000).flat_map(|last| [last, last + 1]);
    let noncharacters = [0xfffe, 0xffff].into_iter().chain(planes);
    let noncharacters = noncharacters.map(|c| char::from_u32(c).expect("no surrogate").to_string().into_bytes());
    vec![
        list(&[
            b"hello$world",
            "hello¢world".as_bytes(),
            "hello€world".as_bytes(),
            "hello\u{24b62}world".as_bytes(),
            GREEK,
        ]),
        (1..=GREEK.len()).map(|length| GREEK[..length].to_vec()).collect(),
        list(&[b"\0", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"]),
        list(&[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"]),
        list(&[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]),
        list(&[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"]),
        list(&[b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80"]),
        continuation,
        lonely.to_vec(),
        list(&cut),
        vec![cut.concat()],
        list(&[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"]),
        list(&[
            b"\xc0\xaf",
            b"\xe0\x80\xaf",
            b"\xf0\x80\x80\xaf",
            b"\xf8\x80\x80\x80\xaf",
            b"\xfc\x80\x80\x80\x80\xaf",
        ]),
        list(&[
            b"\xc1\xbf",
            b"\xe0\x9f\xbf",
            b"\xf0\x8f\xbf\xbf",
            b"\xf8\x87\xbf\xbf\xbf",
            b"\xfc\x83\xbf\xbf\xbf\xbf",
        ]),
        list(&[
            b"\xc0\x80",
            b"\xe0\x80\x80",
            b"\xf0\x80\x80\x80",
            b"\xf8\x80\x80\x80\x80",
            b"\xfc\x80\x80\x80\x80\x80",
        ]),
        list(&[
            b"\xed\xa0\x80",
            b"\xed\xad\xbf",
            b"\xed\xae\x80",
            b"\xed\xaf\xbf",
            b"\xed\xb0\x80",
            b"\xed\xbe\x80",
            b"\xed\xbf\xbf",
        ]),
        list(&[
            b"\xed\xa0\x80\xed\xb0\x80",
            b"\xed\xa0\x80\xed\xbf\xbf",
            b"\xed\xad\xbf\xed\xb0\x80",
            b"\xed\xad\xbf\xed\xbf\xbf",
            b"\xed\xae\x80\xed\xb0\x80",
            b"\xed\xae\x80\xed\xbf\xbf",
            b"\xed\xaf\xbf\xed\xb0\x80",
            b"\xed\xaf\xbf\xed\xbf\xbf",
        ]),
        noncharacters.collect(),
        ('\u{fff9}'..='\u{ffff}').map(|special| special.to_string().into_bytes()).collect(),
    ]
}
