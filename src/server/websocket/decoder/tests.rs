//! Frames that a client may send, and frames that it may not.

use super::*;
use proptest::prelude::*;

const MAX_TEST_MESSAGE: usize = 1000;

/// Returns a masked client frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 254];
    let mut bytes = vec![first];
    match payload.len() {
        length @ ..126 => bytes.push(0x80 | length as u8),
        length => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// Decodes `bytes`, which arrive in chunks of `at_once`.
fn decode(bytes: &[u8], at_once: usize) -> (Vec<DecodedMessage>, Option<ProtocolError>) {
    let mut decoder = Decoder::new(MAX_TEST_MESSAGE, Vec::new());
    let mut messages = Vec::new();
    for part in bytes.chunks(at_once) {
        decoder.buffer().extend_from_slice(part);
        loop {
            match decoder.next() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
        }
    }
    if decoder.fragments.is_none() {
        assert_eq!(decoder.buffer.capacity(), 0, "nothing is held between messages");
    }
    (messages, None)
}

fn violation(bytes: &[u8]) -> Option<ProtocolError> {
    decode(bytes, bytes.len()).1
}

fn is_protocol_error(bytes: &[u8]) -> bool {
    matches!(violation(bytes), Some(ProtocolError::Malformed(_)))
}

#[test]
fn a_ping_may_come_between_the_pieces_of_a_message() {
    let bytes = [frame(0x01, "é".as_bytes()), frame(0x89, b"p"), frame(0x00, b"a"), frame(0x80, b"b")].concat();
    for at_once in 1..bytes.len() {
        let (messages, violation) = decode(&bytes, at_once);
        assert_eq!(messages, [DecodedMessage::Ping(b"p".to_vec()), DecodedMessage::Text("éab".into())]);
        assert_eq!(violation, None);
    }
}

#[test]
fn protocol_violations_are_noticed() {
    for bytes in [
        frame(0xc1, b"reserved bit"),
        frame(0x83, b"reserved kind"),
        frame(0x8b, b"reserved control"),
        frame(0x09, b"a ping in pieces"),
        frame(0x89, &[0; 126]),
        frame(0x80, b"continues nothing"),
        [frame(0x01, b"a"), frame(0x81, b"b")].concat(),
        frame(0x88, b"x"),
        frame(0x88, &1005u16.to_be_bytes()),
        frame(0x88, &2999u16.to_be_bytes()),
        frame(0x88, &5000u16.to_be_bytes()),
        vec![0x81, 0x01, b'x'],
    ] {
        assert!(is_protocol_error(&bytes), "{bytes:?}");
    }
}

#[test]
fn text_is_utf8_and_a_broken_one_is_noticed_before_its_end() {
    assert_eq!(violation(&frame(0x81, b"\xff")), Some(ProtocolError::NotUtf8));
    assert_eq!(violation(&frame(0x81, b"\xc3")), Some(ProtocolError::NotUtf8));
    assert_eq!(violation(&[frame(0x01, b"\xc3"), frame(0x80, b"\xa9")].concat()), None);
    assert_eq!(violation(&[frame(0x01, b"ab\xc3"), frame(0x00, b"x")].concat()), Some(ProtocolError::NotUtf8));
    assert_eq!(violation(&frame(0x88, b"\x03\xe8\xff")), Some(ProtocolError::NotUtf8));
    assert_eq!(decode(&frame(0x82, b"\xff"), 1).0, [DecodedMessage::Binary(vec![255])]);
}

#[test]
fn a_message_is_as_long_as_it_may_be_and_no_longer() {
    assert_eq!(violation(&frame(0x81, &[b'x'; MAX_TEST_MESSAGE])), None);
    let long = frame(0x81, &[b'x'; MAX_TEST_MESSAGE + 1]);
    assert_eq!(violation(&long[..4]), Some(ProtocolError::TooLarge), "before its payload has come");
    let pieces = [frame(0x01, &[b'x'; MAX_TEST_MESSAGE]), frame(0x80, b"x")].concat();
    assert_eq!(violation(&pieces), Some(ProtocolError::TooLarge));
    let huge = [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(violation(&huge), Some(ProtocolError::TooLarge));
    assert_eq!(violation(&[frame(0x01, &[b'x'; MAX_TEST_MESSAGE]), frame(0x89, &[0; 125])].concat()), None);
}

#[test]
fn a_close_frame_may_carry_a_code() {
    assert_eq!(decode(&frame(0x88, b""), 9).0, [DecodedMessage::Close(None)]);
    assert_eq!(decode(&frame(0x88, b"\x0f\xa0bye"), 9).0, [DecodedMessage::Close(Some(4000))]);
}

proptest! {
    /// Messages are decoded regardless of their fragmentation and of the size of reads.
    #[test]
    fn pieces_become_whole(
        texts in proptest::collection::vec(("[a-zé😀]{0,80}", 1..50usize), 0..6),
        at_once in 1..40usize,
    ) {
        let mut bytes = Vec::new();
        for (text, piece) in &texts {
            let mut pieces: Vec<&[u8]> = text.as_bytes().chunks(*piece).collect();
            let last = pieces.pop().unwrap_or_default();
            let mut kind = opcode::TEXT;
            for piece in pieces {
                bytes.extend(frame(std::mem::take(&mut kind), piece));
            }
            bytes.extend(frame(FIN | kind, last));
        }
        let messages = texts.into_iter().map(|(text, _)| DecodedMessage::Text(text)).collect();
        prop_assert_eq!(decode(&bytes, at_once), (messages, None));
    }

    /// Arbitrary bytes never cause a panic.
    #[test]
    fn anything_may_come(bytes in proptest::collection::vec(any::<u8>(), 0..200), at_once in 1..40usize) {
        let mut decoder = Decoder::new(MAX_TEST_MESSAGE, Vec::new());
        for part in bytes.chunks(at_once) {
            decoder.buffer().extend_from_slice(part);
            while let Ok(Some(_)) = decoder.next() {}
        }
    }
}
