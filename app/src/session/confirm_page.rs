//! The password again, before something sensitive.

use leptos::prelude::*;

use super::functions::Confirm as ConfirmForm;
use super::origin as session;
use crate::page::{plain_page, query, refusal};
use crate::redirect::safe_next;
use crate::second_factor::load as second_factor;
use crate::ui::active_form::ActiveForm;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{code_field, field, hidden, reveal};
use crate::{address, scope};

/// Asks for the password, and the code of whoever has a second factor, and leads back to where the person was.
#[component]
pub fn ConfirmPage() -> impl IntoView {
    let query = query();
    let next = query("next").map(|next| safe_next(&next));
    let error = refusal::<ConfirmForm>(&query);
    plain_page(move || async move {
        let current = scope::session()?;
        let (factor, _) = second_factor::load().await?;
        let next = next.unwrap_or_else(session::came_from);
        let action = address::function::<ConfirmForm>().to_owned();
        let back = next.clone();
        let code = factor.since.map(|_| code_field("Code", "Of your authenticator, or a recovery code.", true));
        let content = view! {
            <div class="page-head"><div>
                <h1>"Confirm your password"</h1>
                <p class="lead">"People, roles, credentials and your second factor change only for ten minutes after it was typed."</p>
            </div></div>
            <section class="card narrow" aria-label="Who you are">
                <ActiveForm action class="form" error>
                    {hidden("next", next)}
                    <input type="text" name="username" value=current.email autocomplete="username" hidden readonly />
                    {field("password", "Password", None, view! {
                        <input class="input" id="password" name="password" type="password" autocomplete="current-password" required autofocus />
                    })}
                    {reveal()}
                    {code}
                    <div class="form-foot">
                        <button class="button primary">"Confirm"</button>
                        <a class="button quiet" href=back>"Back"</a>
                    </div>
                </ActiveForm>
            </section>
        }
        .drawn();
        Ok(("Confirm your password".to_owned(), content))
    })
}
