//! Tests of the tokens of a room.

use super::*;

#[tokio::test]
async fn tokens_of_a_room_are_bounded_and_leave_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/parlour.db", directory.path().display())).await.unwrap();
    let room_id = store.create_room(&RoomName::parse("harbour").unwrap()).await.unwrap().room.id;
    let label = Username::parse("bot").unwrap();
    let members = async || standing::Entity::find().count(&store.reader).await.unwrap();
    for _ in 0..3 * MAX_REVOKED_LISTED {
        let created = store.create_token(&label, Some(room_id)).await.unwrap().expect("the room has none");
        assert_eq!(members().await, 1);
        assert!(store.token(&created.secret).await.unwrap().is_some());
        assert!(!store.revoke_token(&created.record.id, Some(room_id + 1)).await.unwrap(), "another room's owner");
        assert!(store.revoke_token(&created.record.id, Some(room_id)).await.unwrap());
        assert!(!store.revoke_token(&created.record.id, None).await.unwrap(), "it was revoked");
        assert!(store.token(&created.secret).await.unwrap().is_none());
        assert_eq!(members().await, 0);
    }
    assert!(store.tokens(Some(room_id)).await.unwrap().len() <= MAX_REVOKED_LISTED + 1);
    for _ in 0..MAX_ROOM_TOKENS {
        assert!(store.create_token(&label, Some(room_id)).await.unwrap().is_some());
    }
    assert!(store.create_token(&label, Some(room_id)).await.unwrap().is_none());
    assert!(store.create_token(&label, None).await.unwrap().is_some(), "of the whole site");
    let gone = store.create_token(&label, Some(room_id + 1)).await.unwrap_err();
    assert!(matches!(gone, StoreError::RoomGone(_)), "{gone}");
    store.delete_room(room_id).await.unwrap();
    assert_eq!(store.tokens(None).await.unwrap().len(), 1);
    assert_eq!(store.purge_tokens().await.unwrap(), 0);
    store.close().await.unwrap();
}
