//! Groups 1 to 5 and 10 of the case list: framing, pings and pongs, reserved bits, opcodes, fragments.

use super::case::{Case, Step};
use super::wire::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, Seen, TEXT};

const HELLO: &str = "Hello, world!";
const BYTES: [u8; 8] = [0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff];
const PROTOCOL_ERROR: &[u16] = &[1002];

fn text(payload: impl AsRef<[u8]>) -> Frame {
    Frame::new(TEXT, payload)
}

fn begun(payload: &str) -> Frame {
    text(payload).unfinished()
}

fn more(payload: &str) -> Frame {
    Frame::new(CONTINUATION, payload).unfinished()
}

fn end(payload: &str) -> Frame {
    Frame::new(CONTINUATION, payload)
}

fn ping(payload: impl AsRef<[u8]>) -> Frame {
    Frame::new(PING, payload)
}

fn said(payload: impl AsRef<[u8]>) -> Seen {
    Seen::Text(payload.as_ref().to_vec())
}

fn pong(payload: impl AsRef<[u8]>) -> Seen {
    Seen::Pong(payload.as_ref().to_vec())
}

/// 1.1 and 1.2: messages of many lengths; and 10.1.1, a long one in fragments.
pub fn messages() -> Vec<Case> {
    let mut cases = Vec::new();
    for (group, opcode, byte) in [("1.1", TEXT, b'*'), ("1.2", BINARY, 0xfe)] {
        for (at, length) in [0, 125, 126, 127, 128, 65535, 65536, 65536].into_iter().enumerate() {
            let payload = vec![byte; length];
            let case = Case::new(format!("{group}.{}", at + 1));
            let frame = Frame::new(opcode, &payload);
            let case = if at == 7 { case.chopped(997, frame) } else { case.send(frame) };
            cases.push(case.expect(if opcode == TEXT { Seen::Text(payload) } else { Seen::Binary(payload) }));
        }
    }
    let long = [b'*'; 65536];
    cases.push(Case::new("10.1.1").fragmented(1300, &long).expect(said(long)));
    cases
}

/// 2: pings are answered with their payload, pongs are not answered.
pub fn pings() -> Vec<Case> {
    let unsolicited = || Frame::new(PONG, "unsolicited pong payload");
    let ten = |number: &str, chop: usize| {
        (0..10).map(|n| format!("payload-{n}")).fold(Case::new(number), |case, payload| {
            let frame = ping(&payload);
            let case = if chop == 0 { case.send(frame) } else { case.chopped(chop, frame) };
            case.expect(pong(payload))
        })
    };
    vec![
        Case::new("2.1").send(ping("")).expect(pong("")),
        Case::new("2.2").send(ping(HELLO)).expect(pong(HELLO)),
        Case::new("2.3").send(ping(BYTES)).expect(pong(BYTES)),
        Case::new("2.4").send(ping([0xfe; 125])).expect(pong([0xfe; 125])),
        Case::new("2.5").send(ping([0xfe; 126])).closed(PROTOCOL_ERROR),
        Case::new("2.6").chopped(1, ping([0xfe; 125])).expect(pong([0xfe; 125])),
        Case::new("2.7").send(Frame::new(PONG, "")),
        Case::new("2.8").send(unsolicited()),
        Case::new("2.9").send(unsolicited()).send(ping("ping payload")).expect(pong("ping payload")),
        ten("2.10", 0),
        ten("2.11", 1),
    ]
}

/// 3: no reserved bit has a meaning, since no extension was negotiated.
pub fn reserved_bits() -> Vec<Case> {
    let after_hello = |number: &str, bits: u8| {
        Case::new(number).expect(said(HELLO)).closed(PROTOCOL_ERROR).send_all(&[
            text(HELLO),
            text(HELLO).reserved(bits),
            ping(""),
        ])
    };
    let alone = |number: &str, frame: Frame| Case::new(number).send(frame).closed(PROTOCOL_ERROR);
    vec![
        alone("3.1", text(HELLO).reserved(1)),
        after_hello("3.2", 2),
        Case::new("3.3")
            .send(text(HELLO))
            .send(text(HELLO).reserved(3))
            .send(ping(""))
            .expect(said(HELLO))
            .closed(PROTOCOL_ERROR),
        Case::new("3.4")
            .chopped(1, text(HELLO))
            .chopped(1, text(HELLO).reserved(4))
            .chopped(1, ping(""))
            .expect(said(HELLO))
            .closed(PROTOCOL_ERROR),
        alone("3.5", Frame::new(BINARY, BYTES).reserved(5)),
        alone("3.6", Frame::new(BINARY, HELLO).reserved(6)),
        alone("3.7", Frame::new(CLOSE, "").reserved(7)),
    ]
}

/// 4: reserved opcodes, alone and after a message.
pub fn opcodes() -> Vec<Case> {
    let mut cases = Vec::new();
    for (group, first) in [("4.1", 3), ("4.2", 11)] {
        let number = |at: u8| format!("{group}.{at}");
        let after_hello = |at: u8, frame: Frame| {
            let case = Case::new(number(at)).send(text(HELLO)).send(frame).send(ping(""));
            case.expect(said(HELLO)).closed(PROTOCOL_ERROR)
        };
        cases.extend([
            Case::new(number(1)).send(Frame::new(first, "")).closed(PROTOCOL_ERROR),
            Case::new(number(2)).send(Frame::new(first + 1, "reserved opcode payload")).closed(PROTOCOL_ERROR),
            after_hello(3, Frame::new(first + 2, "")),
            after_hello(4, Frame::new(first + 3, HELLO)),
            Case::new(number(5))
                .chopped(1, text(HELLO))
                .chopped(1, Frame::new(first + 4, HELLO))
                .chopped(1, ping(""))
                .expect(said(HELLO))
                .closed(PROTOCOL_ERROR),
        ]);
    }
    cases
}

/// How frames are sent: all at once, one by one, byte by byte.
fn each_way(numbers: [&str; 3], frames: &[Frame], of: impl Fn(Case) -> Case) -> [Case; 3] {
    let [at_once, by_frame, by_byte] = numbers.map(Case::new).map(of);
    let by_frame = frames.iter().fold(by_frame, |case, frame| case.send(frame.clone()));
    let by_byte = frames.iter().fold(by_byte, |case, frame| case.chopped(1, frame.clone()));
    [at_once.send_all(frames), by_frame, by_byte]
}

/// 5: fragments, with control frames among them.
pub fn fragments() -> Vec<Case> {
    let whole = || said("fragment1fragment2");
    let bad = |number: &str, frames: &[Frame]| Case::new(number).send_all(frames).closed(PROTOCOL_ERROR);
    let stray = |first: Frame| vec![first, begun("fragment2"), end("fragment3")];
    let slowly = |number: &str, at_once: bool| {
        let (first, second) = (
            [begun("fragment1"), more("fragment2"), ping("pongme 1!")],
            [more("fragment3"), more("fragment4"), ping("pongme 2!"), end("fragment5")],
        );
        let send = |case: Case, frames: &[Frame]| match at_once {
            true => case.send_all(frames),
            false => frames.iter().fold(case, |case, frame| case.send(frame.clone())),
        };
        let case = send(Case::new(number), &first).awaiting(pong("pongme 1!"));
        send(case, &second).expect(pong("pongme 2!")).expect(said("fragment1fragment2fragment3fragment4fragment5"))
    };
    let mut cases = vec![
        bad("5.1", &[ping("fragment1").unfinished(), end("fragment2")]),
        bad("5.2", &[Frame::new(PONG, "fragment1").unfinished(), end("fragment2")]),
    ];
    cases.extend(each_way(["5.3", "5.4", "5.5"], &[begun("fragment1"), end("fragment2")], |case| case.expect(whole())));
    let between = [begun("fragment1"), ping("ping payload"), end("fragment2")];
    cases.extend(each_way(["5.6", "5.7", "5.8"], &between, |case| case.expect(pong("ping payload")).expect(whole())));
    let nothing_to_continue = [end("non-continuation payload"), text(HELLO)];
    cases.extend(each_way(["5.9", "5.10", "5.11"], &nothing_to_continue, |case| case.closed(PROTOCOL_ERROR)));
    let nothing_to_continue = [more("non-continuation payload"), text(HELLO)];
    cases.extend(each_way(["5.12", "5.13", "5.14"], &nothing_to_continue, |case| case.closed(PROTOCOL_ERROR)));
    cases.extend([
        bad("5.15", &[begun("fragment1"), end("fragment2"), more("fragment3"), text("fragment4")]).expect(whole()),
        bad("5.16", &[stray(more("fragment1")), stray(more("fragment1"))].concat()),
        bad("5.17", &[stray(end("fragment1")), stray(end("fragment1"))].concat()),
        bad("5.18", &[begun("fragment1"), text("fragment2")]),
        slowly("5.19", true),
        slowly("5.20", false),
    ]);
    cases
}

/// Returns cases beyond the suite: frames that only a server may send, and invalid lengths.
pub fn beyond() -> Vec<Case> {
    let bytes = |number: &str, bytes: &[u8]| Case::new(number).step(Step::Send(bytes.to_vec()));
    vec![
        Case::new("unmasked text").send(text(HELLO).unmasked()).closed(PROTOCOL_ERROR),
        Case::new("unmasked ping").send(ping("").unmasked()).closed(PROTOCOL_ERROR),
        Case::new("unmasked close").send(Frame::close(1000, "").unmasked()).closed(PROTOCOL_ERROR),
        bytes("a length of 2^63", &[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]).closed(&[1002, 1009]),
        bytes("a length of 2^62", &[0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]).closed(&[1009]),
        bytes("a control frame with a length of 65535", &[0x89, 0xfe, 0xff, 0xff, 1, 2, 3, 4]).closed(&[1002, 1009]),
    ]
}
