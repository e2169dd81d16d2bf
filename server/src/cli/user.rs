//! `tenantatlas user …`

use serde_json::json;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::role::Role;
use tenantatlas_engine::Actor;
use tenantatlas_store::users;

use super::arguments::UserCommand;
use super::output::Output;
use super::secret_input;
use crate::exit::Exit;
use crate::open;
use crate::settings::Settings;

/// Adds and lists people, sets passwords.
///
/// # Errors
/// When something typed is not acceptable; then nothing is changed.
pub async fn run(settings: &Settings, command: UserCommand, output: Output) -> Result<(), Exit> {
    let engine = open::engine(settings, open::without_workers()).await?;
    let actor = Actor::command_line();
    let result = async {
        match command {
            UserCommand::Add { email, name, platform_admin, members, password_file } => {
                let mut roles: Vec<(TenantId, Role)> = Vec::new();
                for member in &members {
                    let (tenant, role) = member.rsplit_once('=').ok_or_else(|| {
                        Exit::usage(format!("\"{member}\" was not understood: expected TENANT=ROLE such as Contoso=operator"))
                    })?;
                    let role = role.parse().map_err(|_| {
                        Exit::usage(format!("there is no role \"{role}\": expected readonly, operator, manager or owner"))
                    })?;
                    roles.push((open::tenant(engine.reader(), tenant).await?.id, role));
                }
                let password = secret_input::new_password(password_file.as_deref())?;
                let id = engine.create_user(&actor, &email, &name, platform_admin, password).await?;
                for (tenant, role) in roles {
                    engine.set_member(&actor, tenant, id, role).await?;
                }
                output.document(&json!({"id": id, "email": email, "name": name}))?;
                output.line(format!("{name} can sign in as {email}."))
            }
            UserCommand::Passwd { email, password_file } => {
                let user = users::find_by_email(engine.reader(), &email).await?.ok_or_else(|| {
                    Exit::usage(format!("nobody signs in as \"{email}\": `tenantatlas user list` shows who does"))
                })?;
                let password = secret_input::new_password(password_file.as_deref())?;
                engine.set_password(&actor, user.user.id, password).await?;
                output.document(&json!({"id": user.user.id, "email": user.user.email}))?;
                output.line(format!("The password of {} is set; all their sessions have ended.", user.user.email))
            }
            UserCommand::ResetSecondFactor { email } => {
                let user = users::find_by_email(engine.reader(), &email).await?.ok_or_else(|| {
                    Exit::usage(format!("nobody signs in as \"{email}\": `tenantatlas user list` shows who does"))
                })?;
                engine.reset_second_factor(&actor, user.user.id).await?;
                output.document(&json!({"id": user.user.id, "email": user.user.email}))?;
                output.line(format!(
                    "The second factor of {} is removed; all their sessions have ended.",
                    user.user.email
                ))
            }
            UserCommand::List => {
                let people = users::list(engine.reader()).await?;
                output.document(
                    &people
                        .iter()
                        .map(|user| json!({"id": user.id, "email": user.email, "name": user.name, "platform_admin": user.platform_admin, "disabled": user.disabled_at.is_some()}))
                        .collect::<Vec<_>>(),
                )?;
                output.table(
                    &["E-MAIL", "NAME", "PLATFORM ADMIN", "STATE", "ID"],
                    people.iter().map(|user| {
                        vec![
                            user.email.clone(),
                            user.name.clone(),
                            if user.platform_admin { "yes" } else { "" }.to_owned(),
                            if user.disabled_at.is_some() { "disabled" } else { "active" }.to_owned(),
                            user.id.to_string(),
                        ]
                    }),
                )
            }
        }
    }
    .await;
    engine.shutdown().await;
    result
}
