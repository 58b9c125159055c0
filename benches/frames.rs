//! The cost of a message before it is written to a socket: parsing the post, encoding the frame. The rest is measured
//! on a real server (`make bench`), because its cost is system calls.

use criterion::{Criterion, criterion_group, criterion_main};
use parlour::domain::{AuthorTag, Event, EventBody, EventId, Timestamp, Username};
use parlour::protocol::{ClientFrame, ServerFrame};
use parlour::server::websocket::TextFrame;
use std::hint::black_box;

fn frames(criterion: &mut Criterion) {
    let text =
        "the quick brown fox jumps over the lazy dog and asks who is there tonight in this room of people, and why";
    let post = format!(r#"{{"type":"post","id":"01j5zk3v9r7w","username":"Ann","message":"{text}"}}"#);
    criterion.bench_function("parse a post", |bench| bench.iter(|| ClientFrame::parse(black_box(&post))));

    let event = Event {
        seq: 41_234,
        id: EventId::parse("01j5zk3v9r7w").expect("an id"),
        at: Timestamp(1_795_376_447_414),
        body: EventBody::Message {
            username: Username::anonymous(),
            tag: AuthorTag::new([1, 2]),
            text: text.to_owned(),
            reply_to: None,
            mentions: Vec::new(),
        },
    };
    criterion.bench_function("encode a message", |bench| {
        bench.iter(|| TextFrame::new(&ServerFrame::from(black_box(&event).clone()).encode()));
    });
}

criterion_group!(hot, frames);
criterion_main!(hot);
