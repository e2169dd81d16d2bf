//! Where spans are sent, as settings and the variables of OpenTelemetry say it.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry_sdk::trace::Sampler;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use tenantatlas_net::is_loopback_host;
use url::Url;

/// What whoever runs the program has said. The names in the messages are those of OpenTelemetry's variables.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: `/v1/traces` is put behind it.
    pub endpoint: Option<String>,
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`: taken as it is, and before the other.
    pub traces_endpoint: Option<String>,
    /// `OTEL_EXPORTER_OTLP_HEADERS`: `name=value`, with commas between them.
    pub headers: Option<SecretString>,
}

/// Where spans are sent, and which.
#[derive(Clone)]
pub struct Settings {
    pub(crate) endpoint: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) sampler: Sampler,
}

/// Tells neither headers nor the path of the endpoint, which may hold a right.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Settings").field("host", &self.endpoint.host_str()).finish_non_exhaustive()
    }
}

/// One sentence that names what is wrong and says what was expected. No value is repeated that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(String);

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

fn wrong(message: impl Into<String>) -> SettingsError {
    SettingsError(message.into())
}

impl Settings {
    /// Reads what was given, and by `variable` what only the environment says. `None` where traces are off: nobody named an
    /// endpoint, or `OTEL_SDK_DISABLED` is `true` or `OTEL_TRACES_EXPORTER` is `none`.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn read(given: &Given, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, SettingsError> {
        let set = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let said =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let endpoint = match (said(&given.traces_endpoint), said(&given.endpoint)) {
            (Some(text), _) => endpoint("otlp_traces_endpoint (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)", &text)?,
            (None, Some(text)) => below(endpoint("otlp_endpoint (OTEL_EXPORTER_OTLP_ENDPOINT)", &text)?),
            (None, None) => return Ok(None),
        };
        if set("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        match set("OTEL_TRACES_EXPORTER").as_deref() {
            None | Some("otlp") => {}
            Some("none") => return Ok(None),
            Some(_) => {
                return Err(wrong("the variable OTEL_TRACES_EXPORTER was not understood: expected otlp or none"));
            }
        }
        let protocol = set("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| set("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if protocol.is_some_and(|protocol| protocol != "http/protobuf") {
            return Err(wrong(
                "the variable OTEL_EXPORTER_OTLP_PROTOCOL (or OTEL_EXPORTER_OTLP_TRACES_PROTOCOL) names what is not spoken here: expected http/protobuf, which a collector takes on port 4318",
            ));
        }
        let headers = headers(given.headers.as_ref(), set("OTEL_EXPORTER_OTLP_TRACES_HEADERS").as_deref())?;
        if !headers.is_empty() && endpoint.scheme() == "http" && !is_loopback_host(&endpoint) {
            return Err(wrong(
                "otlp_headers (OTEL_EXPORTER_OTLP_HEADERS) would be sent in clear to another machine: expected an endpoint that starts with https://, or a collector on this machine",
            ));
        }
        let sampler = sampler(set("OTEL_TRACES_SAMPLER").as_deref(), set("OTEL_TRACES_SAMPLER_ARG").as_deref())?;
        Ok(Some(Self { endpoint, headers, sampler }))
    }
}

/// An address of a collector. It is not repeated where it was not understood: name, password or a right may stand in it.
fn endpoint(setting: &str, text: &str) -> Result<Url, SettingsError> {
    let expected = "expected the address of a collector such as http://127.0.0.1:4318 or https://otlp.example.com";
    let url = Url::parse(text).map_err(|_| wrong(format!("the setting {setting} is no address: {expected}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong(format!("the setting {setting} starts with neither http:// nor https://: {expected}")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(format!(
            "the setting {setting} holds a user name or a password: put them into otlp_headers (OTEL_EXPORTER_OTLP_HEADERS), such as authorization=Basic%20…"
        )));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(format!("the setting {setting} holds a query or a fragment: {expected}")));
    }
    Ok(url)
}

/// Where below a base traces go.
fn below(mut base: Url) -> Url {
    let path = format!("{}/v1/traces", base.path().trim_end_matches('/'));
    base.set_path(&path);
    base
}

/// The headers, those for traces in place of the general ones of the same name. Their values are never told.
fn headers(general: Option<&SecretString>, of_traces: Option<&str>) -> Result<HeaderMap, SettingsError> {
    let mut headers = HeaderMap::new();
    let general = general.map(|text| ("otlp_headers (OTEL_EXPORTER_OTLP_HEADERS)", text.expose_secret()));
    let texts = general.into_iter().chain(of_traces.map(|text| ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", text)));
    for (setting, text) in texts {
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = header(pair).ok_or_else(|| {
                wrong(format!(
                    "{setting} was not understood: expected name=value pairs with commas between them, blanks and commas in values as %20 and %2C"
                ))
            })?;
            headers.insert(name, value);
        }
    }
    Ok(headers)
}

fn header(pair: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = pair.split_once('=')?;
    let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
    let mut value = HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::from_bytes(name.trim().as_bytes()).ok()?, value))
}

/// Which traces are kept. They all begin here, so that a parent has nothing to say.
fn sampler(name: Option<&str>, argument: Option<&str>) -> Result<Sampler, SettingsError> {
    match name.unwrap_or("always_on") {
        "always_on" | "parentbased_always_on" => Ok(Sampler::AlwaysOn),
        "always_off" | "parentbased_always_off" => Ok(Sampler::AlwaysOff),
        "traceidratio" | "parentbased_traceidratio" => {
            let ratio =
                argument.map_or(Some(1.0), |text| text.parse().ok()).filter(|ratio| (0.0..=1.0).contains(ratio));
            ratio.map(Sampler::TraceIdRatioBased).ok_or_else(|| {
                wrong("the variable OTEL_TRACES_SAMPLER_ARG was not understood: expected the part of traces that is kept, from 0.0 to 1.0")
            })
        }
        _ => Err(wrong(
            "the variable OTEL_TRACES_SAMPLER was not understood: expected always_on, always_off or traceidratio, or one of these with parentbased_ before it",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &Given, variables: &[(&str, &str)]) -> Result<Option<Settings>, SettingsError> {
        let known =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Settings::read(given, known)
    }

    fn at(endpoint: &str) -> Given {
        Given { endpoint: Some(endpoint.to_owned()), ..Given::default() }
    }

    fn with_headers(endpoint: &str, headers: &str) -> Given {
        Given { headers: Some(headers.into()), ..at(endpoint) }
    }

    #[test]
    fn nothing_is_sent_unless_an_endpoint_is_named_or_where_opentelemetry_is_switched_off() {
        let off = |given: &Given, variables: &[(&str, &str)]| read(given, variables).expect("understood").is_none();
        assert!(off(&Given::default(), &[("OTEL_TRACES_SAMPLER", "xray")]));
        assert!(off(&at(" "), &[]));
        assert!(off(&at("http://127.0.0.1:4318"), &[("OTEL_SDK_DISABLED", "TRUE")]));
        assert!(off(&at("http://127.0.0.1:4318"), &[("OTEL_TRACES_EXPORTER", "none")]));
        assert!(!off(
            &at("http://127.0.0.1:4318"),
            &[("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_SDK_DISABLED", "false")]
        ));
    }

    #[test]
    fn the_path_of_traces_is_put_behind_a_base_and_an_endpoint_of_traces_is_taken_as_it_is() {
        let url = |given: &Given| read(given, &[]).expect("understood").expect("on").endpoint.to_string();
        assert_eq!(url(&at("http://127.0.0.1:4318")), "http://127.0.0.1:4318/v1/traces");
        assert_eq!(url(&at("https://otlp.example.com/otlp/")), "https://otlp.example.com/otlp/v1/traces");
        let given = Given { traces_endpoint: Some("https://t.example.com/in".to_owned()), ..at("http://127.0.0.1:1") };
        assert_eq!(url(&given), "https://t.example.com/in");
    }

    #[test]
    fn headers_are_decoded_and_those_for_traces_come_first() {
        let given = with_headers("https://otlp.example.com", "Authorization=Basic%20aGk=, x-tenant=one");
        let settings = read(&given, &[("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-tenant=two")]).expect("understood");
        let headers = settings.expect("on").headers;
        assert_eq!(headers["authorization"], "Basic aGk=");
        assert_eq!(headers["x-tenant"], "two");
        assert!(headers.values().all(HeaderValue::is_sensitive));
    }

    #[test]
    fn what_cannot_be_is_named_with_what_was_expected_and_no_secret_is_repeated() {
        let local = "http://127.0.0.1:4318";
        type Case = (Given, &'static [(&'static str, &'static str)], &'static str);
        let cases: [Case; 11] = [
            (at("hunter2"), &[], "OTEL_EXPORTER_OTLP_ENDPOINT) is no address"),
            (at("ftp://hunter2"), &[], "neither http:// nor https://"),
            (at("https://u:hunter2@otlp.example.com"), &[], "user name or a password"),
            (at("https://otlp.example.com/?key=hunter2"), &[], "a query"),
            (with_headers(local, "hunter2"), &[], "OTEL_EXPORTER_OTLP_HEADERS) was not understood"),
            (with_headers(local, "a=b\u{1}hunter2"), &[], "OTEL_EXPORTER_OTLP_HEADERS) was not understood"),
            (with_headers("http://10.0.0.1:4318", "a=hunter2"), &[], "in clear"),
            (at("http://collector:4318"), &[("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=hunter2")], "in clear"),
            (at(local), &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], "http/protobuf"),
            (at(local), &[("OTEL_TRACES_SAMPLER", "xray")], "OTEL_TRACES_SAMPLER "),
            (
                at(local),
                &[("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "7")],
                "from 0.0 to 1.0",
            ),
        ];
        for (given, variables, named) in cases {
            let error = read(&given, variables).expect_err("refused").to_string();
            assert!(error.contains(named) && (error.contains("expected") || error.contains("put them")), "{error}");
            assert!(!error.contains("hunter2") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn neither_headers_nor_the_path_of_an_endpoint_are_told() {
        let given = Given { traces_endpoint: Some("https://otlp.example.com/hunter2".to_owned()), ..Given::default() };
        let given = Given { headers: Some("a=hunter2".into()), ..given };
        let told = format!("{:?} {:?}", read(&given, &[]).expect("understood"), given.headers);
        assert!(told.contains("otlp.example.com") && !told.contains("hunter2"), "{told}");
    }
}
