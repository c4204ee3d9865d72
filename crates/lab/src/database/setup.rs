//! Makes the schema and its users what this version needs; safe to repeat at every start.

use payment_store::MigrateError;

use super::{Database, Error, User};
use crate::lab::Lab;

/// Users first, as administrator; tables, as the user that owns them; then rights on those tables.
pub async fn prepare(lab: &Lab, database: &Database<'_>) -> Result<(), Error> {
    let admin = database.admin();
    let users = with_passwords(payment_store::USERS_SQL, lab);
    admin.query(&users).await?;
    migrate(database.url(User::Migrator).expose())
        .await
        .map_err(Error::Migrate)?;
    admin.query(payment_store::GRANTS_SQL).await?;
    Ok(())
}

async fn migrate(url: &str) -> Result<(), MigrateError> {
    let database = payment_store::Database::parse(url, None)?;
    payment_store::migrate(&database).await?;
    Ok(())
}

fn with_passwords(template: &str, lab: &Lab) -> String {
    [User::Migrator, User::Ingest, User::Reader]
        .into_iter()
        .fold(template.to_owned(), |text, user| {
            let placeholder = format!("{{{{{}_password}}}}", user.name());
            text.replace(&placeholder, user.password(lab).expose())
        })
}
