//! A client that knows nothing but addresses and a secret.

use reqwest::{Client, StatusCode};
use serde_json::Value;
use tenantatlas_graph_sim::{SimTenant, Simulator, SimulatorConfig};

pub struct Visitor {
    pub cloud: Simulator,
    pub tenant: SimTenant,
    pub http: Client,
    pub token: String,
}

impl Visitor {
    pub async fn new(objects: u64, change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config =
            SimulatorConfig { tenants: vec![SimTenant::new("Contoso", 7, objects)], ..SimulatorConfig::default() };
        change(&mut config);
        let tenant = config.tenants[0].clone();
        let cloud = Simulator::start(config, "127.0.0.1:0".parse().expect("an address")).await.expect("it listens");
        let http = Client::builder().no_proxy().build().expect("a client");
        let mut visitor = Self { cloud, tenant, http, token: String::new() };
        let (status, answer) =
            visitor.ask_token(&visitor.tenant.tenant_id.clone(), &visitor.tenant.client_secret.clone()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        visitor.token = answer["access_token"].as_str().expect("a token").to_owned();
        visitor
    }

    pub async fn ask_token(&self, directory: &str, secret: &str) -> (StatusCode, Value) {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.tenant.client_id),
            ("client_secret", secret),
            ("scope", &format!("{}/.default", self.cloud.graph_url())),
        ];
        let answer = self
            .http
            .post(format!("{}/{directory}/oauth2/v2.0/token", self.cloud.login_url()))
            .form(&form)
            .send()
            .await
            .expect("an answer");
        (answer.status(), answer.json().await.expect("JSON"))
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.get_url(&format!("{}/{path}", self.cloud.graph_url())).await
    }

    pub async fn get_url(&self, url: &str) -> (StatusCode, Value) {
        let answer = self.http.get(url).bearer_auth(&self.token).send().await.expect("an answer");
        (answer.status(), answer.json().await.expect("JSON"))
    }

    /// Every object of a collection, following the links.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut url = format!("{}/{path}", self.cloud.graph_url());
        let mut objects = Vec::new();
        loop {
            let (status, page) = self.get_url(&url).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            objects.extend(page["value"].as_array().expect("a page").iter().cloned());
            match page["@odata.nextLink"].as_str() {
                Some(next) => url = next.to_owned(),
                None => return objects,
            }
        }
    }

    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let url = format!("{}/{path}", self.cloud.graph_url());
        let answer = self.http.post(url).bearer_auth(&self.token).json(body).send().await.expect("an answer");
        (answer.status(), answer.json().await.expect("JSON"))
    }

    pub async fn raw(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        let url = format!("{}/{path}", self.cloud.graph_url());
        self.http.get(url).bearer_auth(&self.token).send().await
    }
}
