//! What was typed into a form that was refused without script: the page that is drawn in answer holds it again.
//!
//! The refusal leads the browser back to the page by 307, so that it sends the same form there (RFC 9110, section 15.4.8).
//! Nothing that was typed is kept here or stands in an address, any process can draw the page, and loading it again draws it
//! again and does nothing else. The page is drawn as ever; its fields are filled in what was drawn, so that no form can
//! forget one.

mod fill;
mod html;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use tenantatlas_app::error::{AppError, ErrorKind};

use super::body::BODY_LIMIT;
use super::{answer, payload};

/// A form that was refused.
pub struct Refused {
    /// The path of the function that refused it, without a tenant.
    function: String,
    /// Its fields in their order.
    fields: Vec<(String, String)>,
}

/// Whether a request is a form that a browser sent without script from a page, so that it can be led back to it.
pub fn comes_from_page(headers: &HeaderMap) -> bool {
    headers.contains_key(header::REFERER) && answer::accepts_html(headers) && is_form(headers)
}

fn is_form(headers: &HeaderMap) -> bool {
    payload::media_type(headers).eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

impl Refused {
    /// The form that a request to a page brings back; none when its address tells of no refusal.
    pub async fn of(uri: &Uri, headers: &HeaderMap, body: Body) -> Option<Self> {
        let query = url::form_urlencoded::parse(uri.query()?.as_bytes());
        let (_, function) = query.into_iter().find(|(name, _)| name == "__path")?;
        if !is_form(headers) {
            return None;
        }
        // It was received before: this waits for nothing.
        let body = to_bytes(body, BODY_LIMIT).await.ok()?;
        let fields = url::form_urlencoded::parse(&body).into_owned().collect();
        Some(Self { function: function.into_owned(), fields })
    }

    /// The page with what was typed in its form.
    pub async fn filled(&self, page: Response) -> Response {
        let html = |value: &header::HeaderValue| value.as_bytes().starts_with(b"text/html");
        if !page.headers().get(header::CONTENT_TYPE).is_some_and(html) {
            return page;
        }
        let (mut parts, body) = page.into_parts();
        // It was drawn as a whole.
        let Ok(drawn) = to_bytes(body, usize::MAX).await else {
            return answer::refuse(&AppError::new(ErrorKind::Internal, "Something went wrong inside TenantAtlas."));
        };
        parts.headers.remove(header::CONTENT_LENGTH);
        let filled = match std::str::from_utf8(&drawn) {
            Ok(text) => Body::from(self.fill(text)),
            Err(_) => Body::from(drawn),
        };
        Response::from_parts(parts, filled)
    }

    fn fill(&self, page: &str) -> String {
        let mut tokens = html::read(page);
        fill::fill(&mut tokens, &self.function, &self.fields);
        html::written(&tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::Refused;

    fn filled(function: &str, fields: &[(&str, &str)], page: &str) -> String {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Refused { function: function.to_owned(), fields }.fill(page)
    }

    #[test]
    fn a_page_without_the_form_stays_the_same() {
        let page = "<!DOCTYPE html><html lang=\"en\"><head><title>a &amp; b</title><script>if (a < b && c) d(\"</p>\");\
            </script></head><body><svg viewbox=\"0 0 1 1\"><path d=\"M0\" /></svg><p title=\"a &quot;b&quot;\">x &lt; y &amp; \
            z</p><!--c--><textarea name=\"t\">&lt;b&gt;</textarea><form method=\"post\" action=\"/api/b\"><input name=\"a\" \
            value=\"old\"></form></body></html>";
        assert_eq!(filled("/api/a", &[("a", "new"), ("t", "new")], page), page);
    }

    #[test]
    fn every_kind_of_field_holds_what_was_typed_and_as_text() {
        let page = "<form method=\"post\" action=\"/t/1/api/a\"><input name=\"a\" value=\"old\"><input name=\"a\">\
            <input type=\"checkbox\" name=\"c[]\" value=\"1\" checked=\"\"><input type=\"checkbox\" name=\"c[]\" value=\"2\">\
            <select name=\"s\"><option value=\"1\" selected=\"\">x</option><option value=\"2\">y</option></select>\
            <textarea name=\"t\">old</textarea><button name=\"a\" value=\"b\">b</button></form>";
        let fields = [("a", "\"><script>"), ("a", "2nd"), ("c[]", "2"), ("s", "2"), ("t", "</textarea><b>\nmore")];
        let expected = "<form method=\"post\" action=\"/t/1/api/a\"><input name=\"a\" value=\"&quot;&gt;&lt;script&gt;\">\
            <input name=\"a\" value=\"2nd\"><input type=\"checkbox\" name=\"c[]\" value=\"1\">\
            <input type=\"checkbox\" name=\"c[]\" value=\"2\" checked=\"\"><select name=\"s\"><option value=\"1\">x</option>\
            <option value=\"2\" selected=\"\">y</option></select><textarea name=\"t\">\n&lt;/textarea&gt;&lt;b&gt;\nmore\
            </textarea><button name=\"a\" value=\"b\">b</button></form>";
        assert_eq!(filled("/api/a", &fields, page), expected);
    }

    #[test]
    fn no_secret_and_nothing_hidden_is_sent_back() {
        let page = "<form method=\"post\" action=\"/api/a\"><input type=\"password\" name=\"a\">\
            <input name=\"a\" autocomplete=\"one-time-code\"><input name=\"a\" autocomplete=\"new-password\">\
            <textarea name=\"a\" data-secret=\"\"></textarea><input type=\"hidden\" name=\"a\" value=\"own\">\
            <input type=\"file\" name=\"a\"></form>";
        assert_eq!(filled("/api/a", &[("a", "typed")], page), page);
    }

    #[test]
    fn what_somebody_saw_when_they_typed_stays_so_that_nobody_undoes_what_they_did_not_see() {
        let page = "<form method=\"post\" action=\"/api/a\"><input type=\"hidden\" name=\"revision\" value=\"2\" \
            data-as-sent=\"\"></form>";
        assert_eq!(filled("/api/a", &[("revision", "1")], page), page.replace("\"2\"", "\"1\""));
    }

    #[test]
    fn of_several_forms_that_lead_there_the_one_that_was_sent_is_filled_with_what_belongs_to_it_elsewhere() {
        let form = |id: &str| {
            format!(
                "<details><form id=\"f{id}\" method=\"post\" action=\"/api/a\"><input type=\"hidden\" name=\"id\" \
                 value=\"{id}\"></form></details><input name=\"a\" form=\"f{id}\" value=\"old\">"
            )
        };
        let page = format!("{}{}", form("1"), form("2"));
        let second = form("2").replace("<details>", "<details open=\"\">").replace("\"old\"", "\"new\"");
        assert_eq!(filled("/api/a", &[("id", "2"), ("a", "new")], &page), form("1") + &second);
    }

    #[test]
    fn a_form_that_one_of_its_buttons_sends_is_filled_too() {
        let page = "<form action=\"/t/1/inventory\"><input type=\"checkbox\" name=\"i[]\" value=\"1\">\
            <button formmethod=\"post\" formaction=\"/t/1/api/a\">x</button></form>";
        assert!(filled("/api/a", &[("i[]", "1")], page).contains("value=\"1\" checked=\"\""));
    }
}
