//! docs/openapi.json is sound by itself, and its check notices what is wrong.

use crate::support::description::{DOCUMENT, Description};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn the_description_is_sound() {
    let description = Description::new();
    let document = &description.document;
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = Vec::new();
    fn walk<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
        match value {
            Value::Object(object) => {
                references.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| walk(value, references));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, references)),
            _ => {}
        }
    }
    walk(document, &mut references);
    let mut used = BTreeSet::new();
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a reference into the document");
        assert!(document.pointer(pointer).is_some(), "there is no {reference}");
        used.insert(pointer.to_owned());
    }
    for kind in ["schemas", "responses", "parameters"] {
        for (name, schema) in document["components"][kind].as_object().expect("components") {
            assert!(used.contains(&format!("/components/{kind}/{name}")), "{name} is used nowhere");
            if kind == "schemas" {
                description.check(&json!({}), schema, name);
                jsonschema::meta::validate(
                    &serde_json::from_str::<Value>(DOCUMENT).expect("JSON")["components"][kind][name],
                )
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in
            operations.as_object().expect("operations").iter().filter(|(name, _)| *name != "parameters")
        {
            assert!(ids.insert(operation["operationId"].to_string()), "{method} {path} has the id of another");
            let own = operation["parameters"].as_array().into_iter().flatten();
            let shared = operations["parameters"].as_array().into_iter().flatten();
            let named: BTreeSet<&str> = own
                .chain(shared)
                .map(|parameter| description.resolve(parameter))
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().expect("a name"))
                .collect();
            let in_path: BTreeSet<&str> =
                path.split('{').skip(1).map(|rest| rest.split('}').next().expect("it ends")).collect();
            assert_eq!(named, in_path, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_description_that_is_wrong_is_noticed() {
    let description = Description::new();
    let schema = json!({"$ref": "#/components/schemas/Event"});
    let event = json!({"type": "deleted", "seq": 3, "id": "x", "target": 1, "at": 5});
    description.check(&schema, &event, "an event");
    for (name, value) in
        [("seq", json!("3")), ("target", json!(null)), ("surprise", json!(1)), ("type", json!("edited"))]
    {
        let mut wrong = event.clone();
        wrong[name] = value;
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| description.check(&schema, &wrong, "")));
        assert!(checked.is_err(), "{wrong}");
    }
}

#[test]
fn an_image_is_built_with_the_description() {
    let ignored = include_str!("../../.dockerignore");
    assert!(ignored.lines().any(|line| line == "!docs/openapi.json"), "the executable contains it: {ignored}");
}
