//! Sets up the schema and its users as this version needs them; safe to repeat at every start.

use anyhow::{Context as _, Result};
use payment_store::users::{Logins, grants_sql, users_sql};
use payment_store::{MigrateError, Schema};

use super::{Database, SCHEMA, User};
use crate::lab::Lab;

const FAILED: &str = "cannot migrate the schema";

/// Creates users as the administrator, tables as their owner, then grants on those tables.
pub async fn prepare(lab: &Lab, database: &Database<'_>) -> Result<()> {
    let schema = Schema::parse(SCHEMA).context(FAILED)?;
    let passwords = [User::Migrator, User::Ingest, User::Reader]
        .map(|user| user.password(lab).expose().to_owned());
    let admin = database.admin();
    let users = users_sql(schema, &Logins::Passwords(passwords));
    admin.query(&users).await?;
    migrate(database.url(User::Migrator).expose())
        .await
        .context(FAILED)?;
    admin.query(&grants_sql(schema)).await?;
    Ok(())
}

async fn migrate(url: &str) -> Result<(), MigrateError> {
    let database = payment_store::Database::parse(url, None)?;
    payment_store::migrate(&database).await?;
    Ok(())
}
