//! Title, topic and retention of a room, as its owner has set them.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Without a text, a room shows its name and no topic. The numbers are those of the events that hold the texts;
        // the authors are those of the texts.
        let columns = [
            ColumnDef::new(Rooms::Title).text().to_owned(),
            ColumnDef::new(Rooms::TitleSeq).big_integer().to_owned(),
            ColumnDef::new(Rooms::TitleBy).binary().to_owned(),
            ColumnDef::new(Rooms::Topic).text().to_owned(),
            ColumnDef::new(Rooms::TopicSeq).big_integer().to_owned(),
            ColumnDef::new(Rooms::TopicBy).binary().to_owned(),
            // In days. NULL: as long as the host keeps the room's messages.
            ColumnDef::new(Rooms::Retention).integer().to_owned(),
        ];
        // SQLite adds one column at a time.
        for column in columns {
            manager.alter_table(Table::alter().table(Rooms::Table).add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Rooms {
    Table,
    Title,
    TitleSeq,
    TitleBy,
    Topic,
    TopicSeq,
    TopicBy,
    Retention,
}
