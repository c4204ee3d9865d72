//! The model of the database behaves like MySQL: each test of `suite` runs against both.

mod objects;
mod suite;

use payment_store::{Database, MySqlBackend};
use sim::database::{Model, REFUSED};
use sim::world::World;
use sqlx::{AssertSqlSafe, MySqlPool};

macro_rules! conform {
    ($($name:ident,)*) => {
        mod model {
            $(
                #[tokio::test(start_paused = true)]
                async fn $name() {
                    super::suite::$name(super::model()).await;
                }
            )*
        }

        mod mysql {
            $(
                #[sqlx::test(migrator = "payment_store::MIGRATOR")]
                async fn $name(pool: sqlx::MySqlPool) {
                    super::suite::$name(super::mysql(&pool).await).await;
                }
            )*
        }
    };
}

conform! {
    p10_a_client_takes_no_other_clients_id,
    an_insert_is_all_or_nothing_and_the_transaction_goes_on,
    what_is_not_committed_is_seen_by_its_own_transaction_alone,
    what_is_rolled_back_or_cut_off_leaves_nothing,
    who_wants_a_key_waits_for_its_holder,
    of_two_that_wait_for_each_other_one_is_let_go,
    data_that_is_refused_is_told_apart,
    a_line_is_recorded_once,
    an_object_is_taken_once,
    look_ups_say_what_was_ingested,
    the_last_position_of_a_pass_counts,
    an_object_is_deferred_once,
}

fn model() -> Model {
    Model::new(&World::calm(0))
}

async fn mysql(pool: &MySqlPool) -> MySqlBackend {
    for table in ["transactions", "conflicts"] {
        let sql = format!(
            "ALTER TABLE {table} ADD CONSTRAINT {table}_refuses CHECK (transaction <> '{REFUSED}')"
        );
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(pool)
            .await
            .unwrap();
    }
    let server = std::env::var("DATABASE_URL").unwrap();
    let address = server.split('?').next().unwrap();
    let (host, _) = address.rsplit_once('/').unwrap();
    let schema = pool.connect_options().get_database().unwrap().to_owned();
    let database = Database::parse(&format!("{host}/{schema}"), None).unwrap();
    MySqlBackend::new(database.pool(4))
}
