//! No next link leads out of the Graph of its cloud.

use tenantatlas_graph::{CloudEndpoints, testing};
use url::Url;

pub fn check(input: &[u8]) {
    let Ok(link) = std::str::from_utf8(input) else { return };
    let url = |text: &str| Url::parse(text).expect("an address");
    let cloud = CloudEndpoints::custom(url("https://login.example/"), url("https://graph.example/graph"));
    let cloud = cloud.expect("a cloud");
    if let Some(found) = testing::next_link(&cloud, &url("https://graph.example/graph/beta/x?y"), link) {
        assert!(found.as_str().starts_with("https://graph.example/graph/"), "{found}");
        assert!(found.username().is_empty() && found.password().is_none() && found.port().is_none(), "{found}");
    }
}
