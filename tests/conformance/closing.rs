//! Group 7 of the case list: how connections end.

use super::case::Case;
use super::wire::{CLOSE, CONTINUATION, Frame, PING, Seen, TEXT};

const NORMAL: &[u16] = &[1000];
const PROTOCOL_ERROR: &[u16] = &[1002];

/// Codes that a peer may send, each with the permitted answers: the same code, or 1000.
const VALID: [&[u16]; 13] = [
    &[1000],
    &[1001, 1000],
    &[1002, 1000],
    &[1003, 1000],
    &[1007, 1000],
    &[1008, 1000],
    &[1009, 1000],
    &[1010, 1000],
    &[1011, 1000],
    &[3000, 1000],
    &[3999, 1000],
    &[4000, 1000],
    &[4999, 1000],
];

/// Codes that no peer may send.
const INVALID: [u16; 9] = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];

/// All of group 7.
pub fn cases() -> Vec<Case> {
    let normal = || Frame::close(1000, "");
    let hello = || Frame::new(TEXT, "Hello World!");
    let closing = |number: &str, frames: &[Frame], codes| Case::new(number).send_all(frames).closed(codes);
    let not_utf8 = [&1000u16.to_be_bytes(), "κόσμε".as_bytes(), b"\xed\xa0\x80edited"].concat();
    let mut cases = vec![
        Case::new("7.1.1").send(hello()).expect(Seen::Text(b"Hello World!".to_vec())),
        closing("7.1.2", &[normal(), Frame::new(CLOSE, "")], NORMAL),
        closing("7.1.3", &[normal(), Frame::new(PING, "")], NORMAL),
        closing("7.1.4", &[normal(), hello()], NORMAL),
        closing(
            "7.1.5",
            &[Frame::new(TEXT, "fragment1").unfinished(), normal(), Frame::new(CONTINUATION, "fragment2")],
            NORMAL,
        ),
        // The RFC does not specify whether earlier messages are still answered.
        Case::new("7.1.6")
            .send(Frame::new(TEXT, "BAsd7&jh23".repeat(26215)))
            .send_all(&[hello(), normal(), Frame::new(PING, "")])
            .ended(),
        closing("7.3.1", &[Frame::new(CLOSE, "")], NORMAL).without_code(),
        closing("7.3.2", &[Frame::new(CLOSE, "a")], PROTOCOL_ERROR),
        closing("7.3.3", &[normal()], NORMAL),
        closing("7.3.4", &[Frame::close(1000, "Hello World!")], NORMAL),
        closing("7.3.5", &[Frame::close(1000, "*".repeat(123))], NORMAL),
        closing("7.3.6", &[Frame::close(1000, "*".repeat(124))], PROTOCOL_ERROR),
        closing("7.5.1", &[Frame::new(CLOSE, not_utf8)], &[1002, 1007]),
    ];
    for (at, codes) in VALID.into_iter().enumerate() {
        cases.push(closing(&format!("7.7.{}", at + 1), &[Frame::close(codes[0], "")], codes));
    }
    for (at, code) in INVALID.into_iter().enumerate() {
        cases.push(closing(&format!("7.9.{}", at + 1), &[Frame::close(code, "")], PROTOCOL_ERROR));
    }
    cases.push(Case::new("7.13.1").send(Frame::close(5000, "")).ended());
    cases.push(Case::new("7.13.2").send(Frame::close(65535, "")).ended());
    cases
}
