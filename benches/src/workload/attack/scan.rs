//! A room of one message and very many edits of it, which a query for messages would have to pass.

use super::sql::Sql;
use super::{Field, HOST, Outcome, pages};
use crate::http::Http;
use std::time::Instant;

const CLIENTS: usize = 300;

/// Number of requests of which the median is taken.
const ALONE: usize = 5;

/// Writes the edits directly into the database, as the room's author.
pub async fn prepare(field: &mut Field) -> Outcome {
    let room = field.room("scan");
    field.fill(&room, 1, |_| "hello".to_owned()).await?;
    let last = field.edits + 1;
    let (numbers, from) = match &field.database_url {
        Some(_) => (String::new(), format!("generate_series(2, {last}) AS n(i)")),
        None => {
            let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) ");
            (numbers, "n".to_owned())
        }
    };
    let id = if field.database_url.is_some() { "'e' || lpad(n.i::text, 9, '0')" } else { "printf('e%09d', n.i)" };
    let edits = format!(
        "INSERT INTO events (room_id, seq, author, id, kind, at, username, target, text) {numbers}\
         SELECT e.room_id, n.i, e.author, {id}, 1, e.at, e.username, 1, 'hello again' \
         FROM {from}, events e JOIN rooms r ON r.id = e.room_id WHERE r.name = '{room}' AND e.seq = 1"
    );
    let of_room = format!("(SELECT id FROM rooms WHERE name = '{room}')");
    let mut sql = Sql::open(field)?;
    for statement in [
        "BEGIN",
        &edits,
        &format!("UPDATE events SET edited_by = {last} WHERE seq = 1 AND room_id = {of_room}"),
        &format!("UPDATE rooms SET head = {last} WHERE name = '{room}'"),
        "COMMIT",
    ] {
        sql.run(statement)?;
    }
    if field.database_url.is_some() {
        sql.run("ANALYZE events")?;
    }
    Ok(())
}

fn paths(field: &Field) -> [String; 2] {
    let room = field.room("scan");
    [
        format!("/api/load_history?room_name={room}"),
        format!("/api/count_unread?rooms%5B0%5D%5Broom%5D={room}&rooms%5B0%5D%5Bread%5D=0"),
    ]
}

/// Measures the duration of each request on an otherwise idle server.
pub async fn alone(field: &mut Field) -> Outcome {
    let mut client = Http::connect(field.addr, HOST).await?;
    for (path, figure) in paths(field).iter().zip(["history_ms", "unread_ms"]) {
        let mut times = Vec::new();
        for _ in 0..ALONE {
            let begun = Instant::now();
            client.page(path, "").await?;
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        field.note(figure, times[ALONE / 2]);
    }
    Ok(())
}

pub fn mount(field: &mut Field) {
    let paths = paths(field);
    pages::clients(field, CLIENTS, "", move |number| paths[(number % 2) as usize].clone());
}
