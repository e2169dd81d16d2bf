//! A PostgreSQL server: how it is connected to, and what holds in every session.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{Connection as _, Executor as _, Postgres};

use crate::database::PATIENCE;
use crate::{Db, StoreError};

/// Connections to a PostgreSQL server, at most.
const POSTGRES_CONNECTIONS: u32 = 24;
/// A server that answers at all does so within this time.
const QUICK: Duration = Duration::from_secs(3);
/// A connection that rested longer than this is asked whether it still lives before it is used.
const TRUSTED_REST: Duration = Duration::from_secs(5);

/// Connects, with one more option of the session where it is given.
pub(crate) async fn connect_postgres(address: &str, option: Option<(&str, &str)>) -> Result<Db, StoreError> {
    if !address.starts_with("postgres://") && !address.starts_with("postgresql://") {
        let scheme = address.split(':').next().unwrap_or_default();
        return Err(StoreError::Address(format!("{scheme:?} is neither")));
    }
    let options = PgConnectOptions::from_str(address)
        .map_err(|_| StoreError::Address("the part after postgres:// is not understood".to_owned()))?
        .application_name("tenantatlas")
        .statement_cache_capacity(200)
        .options(option);
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let first_cause = say_whether_it_answers(&options, &host).await;
    let pool = pool_options().connect_with(options).await.map_err(|error| match &error {
        sqlx::Error::Database(database) => match database.code().as_deref() {
            Some("28000" | "28P01" | "3D000" | "42501") => StoreError::Refused(database.message().to_owned()),
            _ => error.into(),
        },
        sqlx::Error::PoolTimedOut => {
            let cause = first_cause.unwrap_or_else(|| "no answer".to_owned());
            StoreError::Unreachable { host, cause: format!("{cause}, for {} seconds", PATIENCE.as_secs()) }
        }
        other => StoreError::Unreachable { host, cause: other.to_string() },
    })?;
    Ok(Db::Postgres { pool, shared: Arc::default() })
}

/// Connects once and says it where that fails, since the pool tries again without a word until [`PATIENCE`] is over. The reason
/// of the network comes back.
async fn say_whether_it_answers(options: &PgConnectOptions, host: &str) -> Option<String> {
    let cause = match tokio::time::timeout(QUICK, PgConnection::connect_with(options)).await {
        Ok(Ok(connection)) => {
            // Whether it is closed in good order is of no consequence.
            let _ = connection.close().await;
            return None;
        }
        Ok(Err(sqlx::Error::Io(error))) => error.to_string(),
        Err(_) => format!("no answer within {} seconds", QUICK.as_secs()),
        // Refused by the server itself, which the pool will tell.
        Ok(Err(_)) => return None,
    };
    tracing::warn!(%cause, "PostgreSQL at {host} does not answer yet: trying for {} seconds", PATIENCE.as_secs());
    Some(cause)
}

/// What holds in every session on PostgreSQL. One search takes one core, as its turn says ([`Db::turn_to_search`]): by default
/// it would take several, which those whose pages are quick then wait for. And no statement here is worth being compiled:
/// that takes longer than most of them run. A process that was stopped in the middle of a transaction, or whose machine is
/// gone, lets go of what it has locked: everybody who works waits for the end of the audit log, for one.
const SESSION: &str =
    "SET max_parallel_workers_per_gather = 0; SET jit = off; SET idle_in_transaction_session_timeout = '30s'";

fn pool_options() -> PoolOptions<Postgres> {
    PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(async move { connection.execute(SESSION).await.map(drop) }))
        .before_acquire(|connection, rest| {
            Box::pin(async move {
                if rest.idle_for > TRUSTED_REST {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}
