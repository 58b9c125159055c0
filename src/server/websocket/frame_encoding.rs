//! Encodings of the frames that connections are sent: WebSocket frames, or the formats of event streams over HTTP.

use super::frame::{TextFrame, concat_frames};
use crate::domain::Seq;
use crate::protocol::close;
use crate::server::text_escape::{escaped, escaped_lines};
use axum::body::Bytes;
use serde::Deserialize;
use std::borrow::Cow;
use std::cell::OnceCell;

/// Encoding of what one connection is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameEncoding {
    /// WebSocket text frames.
    WebSocket,
    /// Server-sent events (WHATWG HTML, section 9.2): the number of an event is its id.
    EventStream,
    /// One frame per line (`application/x-ndjson`).
    JsonLines,
    /// One message per line, as `name: text`. A line break in the text is followed by two spaces.
    PlainText,
}

/// Frames for several connections, encoded at most once per encoding.
pub(crate) struct EncodedFrames<'a> {
    frames: &'a [TextFrame],
    encoded: [OnceCell<Bytes>; 4],
}

/// The fields of a frame that event streams depend on.
#[derive(Deserialize)]
struct FrameFields<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    seq: Option<Seq>,
}

/// The number of an event, whose other fields may be anything.
#[derive(Deserialize)]
struct NumberField {
    seq: Seq,
}

/// The fields of a message that a stream for people shows.
#[derive(Deserialize)]
struct MessageFields<'a> {
    #[serde(borrow)]
    username: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
}

impl<'a> FrameFields<'a> {
    /// Reads the fields of a frame. Returns `None` if it is neither an event nor a frame of this version.
    fn read(frame: &'a str) -> Option<Self> {
        let fields: Option<Self> = serde_json::from_str(frame).ok();
        fields.filter(|fields| !fields.r#type.contains(['\n', '\r'])).or_else(|| {
            let NumberField { seq } = serde_json::from_str(frame).ok()?;
            Some(Self { r#type: "other".into(), seq: Some(seq) })
        })
    }
}

impl FrameEncoding {
    /// Returns whether connections get hints (presence, typing, heartbeats as frames). Event streams carry the log only.
    pub(crate) fn has_hints(self) -> bool {
        self == Self::WebSocket
    }

    /// Returns the bytes that keep an idle event stream alive.
    pub(crate) fn heartbeat(self) -> Bytes {
        Bytes::from_static(if self == Self::EventStream { b":\n\n" } else { b"\n" })
    }

    /// Returns the bytes that tell a client its position before the first event; only server-sent events have such. They
    /// set the id with which an `EventSource` resumes, and are no event themselves.
    pub(crate) fn position(self, seq: Seq) -> Bytes {
        if self == Self::EventStream { format!("id: {seq}\n\n").into() } else { Bytes::new() }
    }

    /// Returns the last bytes of an event stream, which say why it ends. A stream of lines that ends at the head says
    /// nothing.
    pub(crate) fn end(self, code: u16, detail: &str) -> Bytes {
        let reason = |mut fields: serde_json::Value| {
            fields["code"] = code.into();
            fields["detail"] = detail.into();
            fields.to_string()
        };
        match self {
            Self::EventStream => format!("event: end\ndata: {}\n\n", reason(serde_json::json!({}))).into(),
            Self::JsonLines if code != close::NORMAL => {
                format!("{}\n", reason(serde_json::json!({ "type": "end" }))).into()
            }
            Self::WebSocket | Self::JsonLines | Self::PlainText => Bytes::new(),
        }
    }

    /// Returns the bytes of `frame`; empty if connections with this encoding do not get it.
    pub(crate) fn encode(self, frame: &TextFrame) -> Bytes {
        match self {
            Self::WebSocket => frame.bytes().clone(),
            _ => self.stream_text(frame.text()).unwrap_or_default().into(),
        }
    }

    fn concat(self, frames: &[TextFrame]) -> Bytes {
        match self {
            Self::WebSocket => concat_frames(frames),
            _ => frames.iter().filter_map(|frame| self.stream_text(frame.text())).collect::<String>().into(),
        }
    }

    /// Returns the text of a frame in an event stream, or `None` if the stream does not carry the frame.
    fn stream_text(self, frame: &str) -> Option<String> {
        let fields = FrameFields::read(frame)?;
        let is_notice = matches!(&*fields.r#type, "reset" | "drain");
        if fields.seq.is_none() && !is_notice {
            return None;
        }
        // A line break can only stand between the tokens of a JSON text.
        let line =
            || if frame.contains(['\n', '\r']) { frame.replace(['\n', '\r'], " ").into() } else { Cow::from(frame) };
        match self {
            Self::WebSocket => None,
            Self::EventStream => {
                let id = fields.seq.map(|seq| format!("id: {seq}\n")).unwrap_or_default();
                Some(format!("{id}event: {}\ndata: {}\n\n", fields.r#type, line()))
            }
            Self::JsonLines => Some(format!("{}\n", line())),
            Self::PlainText if fields.r#type == "message" => {
                let MessageFields { username, message } = serde_json::from_str(frame).ok()?;
                let lines = message.replace('\n', "\n  ");
                (!message.is_empty()).then(|| format!("{}: {}\n", escaped(&username), escaped_lines(&lines)))
            }
            Self::PlainText => None,
        }
    }
}

impl<'a> EncodedFrames<'a> {
    /// Returns `frames`, not encoded yet.
    pub(crate) fn new(frames: &'a [TextFrame]) -> Self {
        Self { frames, encoded: Default::default() }
    }

    /// Returns all frames in `encoding`, one after the other; empty if connections with this encoding get none of them.
    pub(crate) fn bytes(&self, encoding: FrameEncoding) -> &Bytes {
        self.encoded[encoding as usize].get_or_init(|| encoding.concat(self.frames))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#"{"type":"message","seq":42,"id":"x","username":"Ann","tag":"ab12","message":"one\ntwo\u001b[1m","sent_at":"2026-01-01T00:00:00.000Z"}"#;

    fn encoded(encoding: FrameEncoding, text: &str) -> String {
        String::from_utf8(encoding.encode(&TextFrame::new(text)).to_vec()).unwrap()
    }

    #[test]
    fn a_message_has_its_number_as_id() {
        let event = encoded(FrameEncoding::EventStream, MESSAGE);
        assert_eq!(event, format!("id: 42\nevent: message\ndata: {MESSAGE}\n\n"));
        assert_eq!(encoded(FrameEncoding::JsonLines, MESSAGE), format!("{MESSAGE}\n"));
    }

    #[test]
    fn a_plain_line_has_no_control_characters() {
        assert_eq!(encoded(FrameEncoding::PlainText, MESSAGE), "Ann: one\n  two\\u001b[1m\n");
    }

    #[test]
    fn events_of_unknown_types_are_passed_on() {
        let dance = r#"{"type":"dance","seq":7}"#;
        assert_eq!(encoded(FrameEncoding::EventStream, dance), format!("id: 7\nevent: dance\ndata: {dance}\n\n"));
        assert_eq!(
            encoded(FrameEncoding::JsonLines, "{\"type\":\"dance\",\n\"seq\":7}"),
            "{\"type\":\"dance\", \"seq\":7}\n"
        );
        assert_eq!(encoded(FrameEncoding::PlainText, dance), "");
        for odd in [
            r#"{"type":"message","seq":7,"message":{"parts":[]},"username":7}"#,
            r#"{"type":["dance"],"seq":7,"message":1.5}"#,
            r#"{"type":"dance\nid: 1","seq":7}"#,
            r#"{"seq":7}"#,
        ] {
            let event = encoded(FrameEncoding::EventStream, odd);
            assert!(event.starts_with("id: 7\nevent: ") && event.ends_with(&format!("\ndata: {odd}\n\n")), "{event}");
            assert_eq!(event.lines().count(), 4, "{event}");
            assert_eq!(encoded(FrameEncoding::JsonLines, odd), format!("{odd}\n"));
            assert_eq!(encoded(FrameEncoding::PlainText, odd), "");
        }
    }

    #[test]
    fn streams_carry_no_hints_and_notices_have_no_id() {
        let reset = r#"{"type":"reset","epoch":"e","head":3}"#;
        assert_eq!(encoded(FrameEncoding::EventStream, reset), format!("event: reset\ndata: {reset}\n\n"));
        for hint in
            [r#"{"type":"welcome","head":3}"#, r#"{"type":"presence","count":1}"#, r#"{"type":"heartbeat","head":1}"#]
        {
            for encoding in [FrameEncoding::EventStream, FrameEncoding::JsonLines, FrameEncoding::PlainText] {
                assert_eq!(encoded(encoding, hint), "", "{hint}");
            }
        }
    }

    #[test]
    fn a_batch_equals_its_frames_in_order() {
        let frames = [TextFrame::new(MESSAGE), TextFrame::new(r#"{"type":"deleted","seq":43}"#)];
        let batch = EncodedFrames::new(&frames);
        for encoding in
            [FrameEncoding::WebSocket, FrameEncoding::EventStream, FrameEncoding::JsonLines, FrameEncoding::PlainText]
        {
            let each: Vec<u8> = frames.iter().flat_map(|frame| encoding.encode(frame)).collect();
            assert_eq!(batch.bytes(encoding), &each, "{encoding:?}");
        }
    }
}
