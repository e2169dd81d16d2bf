//! A message in the form of its endpoint.

use serde_json::{Value, json};
use tenantatlas_domain::endpoint::EndpointKind;
use tenantatlas_store::deliveries::Delivery;
use tenantatlas_store::tenants::Tenant;
use url::Url;

use super::told::{Told, told};

/// All that a message tells, with the tenant and, where the address of this site is known, a link.
pub(super) fn data(delivery: &Delivery, tenant: &Tenant, public_url: Option<&Url>) -> Value {
    let mut data: Value = serde_json::from_str(&delivery.payload).unwrap_or_default();
    if !data.is_object() {
        data = json!({});
    }
    data["tenant"] = json!({ "id": tenant.id, "name": tenant.name });
    if let (Some(site), Some(path)) = (public_url, data["path"].as_str().filter(|path| path.starts_with('/'))) {
        data["url"] = format!("{}{path}", site.as_str().trim_end_matches('/')).into();
    }
    data
}

/// The bytes that are sent to an address.
pub(super) fn body(kind: EndpointKind, delivery: &Delivery, tenant: &Tenant, public_url: Option<&Url>) -> Vec<u8> {
    let data = data(delivery, tenant, public_url);
    let body = match kind {
        EndpointKind::Webhook | EndpointKind::Mail => json!({
            "type": delivery.event,
            "timestamp": delivery.created_at.to_rfc3339(),
            "data": data,
        }),
        EndpointKind::Teams => card(&told(delivery.event, &data)),
        EndpointKind::Slack => blocks(&told(delivery.event, &data)),
    };
    body.to_string().into_bytes()
}

/// An Adaptive Card for a workflow of Teams. Texts of cards may hold a part of Markdown, which is taken from them.
fn card(told: &Told) -> Value {
    let facts: Vec<Value> =
        told.facts.iter().map(|(name, value)| json!({ "title": name, "value": plain(value) })).collect();
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            { "type": "TextBlock", "text": plain(&told.title), "weight": "Bolder", "size": "Medium", "wrap": true },
            { "type": "FactSet", "facts": facts },
        ],
    });
    if let Some(url) = &told.url {
        card["actions"] = json!([{ "type": "Action.OpenUrl", "title": "Open in TenantAtlas", "url": url }]);
    }
    json!({
        "type": "message",
        "attachments": [{ "contentType": "application/vnd.microsoft.card.adaptive", "content": card }],
    })
}

/// Text in which nothing is Markdown.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '*' | '_' | '[' | ']' | '(' | ')' | '`' | '#' | '<' | '>' | '~' | '|' | '!') {
            plain.push('\\');
        }
        plain.push(character);
    }
    plain
}

/// Blocks for an incoming webhook of Slack, and the same as text for where blocks are not shown.
fn blocks(told: &Told) -> Value {
    let title = escaped(&told.title);
    let facts = told.facts.iter().map(|(name, value)| format!("*{name}:* {}", escaped(value)));
    let facts = cut(&facts.collect::<Vec<_>>().join("\n"), 3_000);
    let mut blocks = vec![
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": format!("*{title}*") } }),
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": facts } }),
    ];
    if let Some(url) = &told.url {
        blocks.push(json!({
            "type": "actions",
            "elements": [{ "type": "button", "url": url, "text": { "type": "plain_text", "text": "Open in TenantAtlas" } }],
        }));
    }
    json!({ "text": title, "blocks": blocks })
}

/// Text in which nothing is a link, a mention or formatting: the three characters that Slack has for them (Slack,
/// "Formatting text for app surfaces"), and those of its formatting.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // A space of no width keeps them from being paired.
            '*' | '_' | '~' | '`' => escaped.extend(['\u{200b}', character, '\u{200b}']),
            other => escaped.push(other),
        }
    }
    escaped
}

/// At most so many characters, cut between lines.
fn cut(text: &str, most: usize) -> String {
    let mut kept = String::new();
    for line in text.lines() {
        if kept.chars().count() + line.chars().count() + 1 > most {
            break;
        }
        if !kept.is_empty() {
            kept.push('\n');
        }
        kept.push_str(line);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hostile() -> Told {
        Told {
            title: "a <!channel> & *b* [x](javascript:1)".to_owned(),
            facts: vec![("Tenant", "<https://evil.example|here>".to_owned()); 12],
            url: Some("https://atlas.example.com/t/1".to_owned()),
        }
    }

    #[test]
    fn nothing_in_a_message_to_slack_is_a_link_a_mention_or_too_long() {
        let body = blocks(&hostile());
        let text = body.to_string();
        assert!(!text.contains("<!channel>") && !text.contains("<https://evil"), "{text}");
        assert_eq!(body["text"], "a &lt;!channel&gt; &amp; \u{200b}*\u{200b}b\u{200b}*\u{200b} [x](javascript:1)");
        let blocks = body["blocks"].as_array().expect("blocks");
        assert!(blocks.len() <= 50);
        let long = Told { facts: vec![("Why", "y".repeat(290)); 12], ..hostile() };
        let long = super::blocks(&long);
        assert!(long["blocks"][1]["text"]["text"].as_str().is_some_and(|text| text.chars().count() <= 3_000));
    }

    #[test]
    fn a_card_is_one_of_version_1_4_in_which_nothing_is_markdown() {
        let body = card(&hostile());
        assert_eq!(body["attachments"][0]["contentType"], "application/vnd.microsoft.card.adaptive");
        let content = &body["attachments"][0]["content"];
        assert_eq!((&content["type"], &content["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
        assert_eq!(content["body"][0]["text"], "a \\<\\!channel\\> & \\*b\\* \\[x\\]\\(javascript:1\\)");
        assert_eq!(content["actions"][0]["url"], "https://atlas.example.com/t/1");
        assert!(body.to_string().len() < 28_000);
    }
}
