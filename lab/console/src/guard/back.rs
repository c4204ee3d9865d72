//! The page that a form returns to.

use reqwest::Url;
use serde::Deserialize;

/// A path of this console, with its query. Anything that would lead elsewhere becomes the overview.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
pub struct Back(String);

impl Back {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Back {
    fn from(text: String) -> Self {
        Self(own_path(&text).unwrap_or_else(|| "/".to_owned()))
    }
}

/// Parses a URL as a browser does on a page of this console, where `/\
/// ame` and `//name` are other servers.
fn own_path(text: &str) -> Option<String> {
    // Any host name works: what stays on this one stays on the console's.
    let console = Url::parse("http://console.invalid").ok()?;
    let led_to = console.join(text).ok()?;
    // `/.//name` stays on the server, but its path alone does not.
    let is_own = led_to.origin() == console.origin() && !led_to.path().starts_with("//");
    let query = led_to.query().map(|query| format!("?{query}"));
    is_own.then(|| format!("{}{}", led_to.path(), query.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_a_page_of_this_console_alone() {
        for own in [
            "/",
            "/faults",
            "/s3?prefix=transactions%2Fdt%3D2026-11-25%2F",
            "/payments/a%2Db",
        ] {
            assert_eq!(Back::from(own.to_owned()).as_str(), own);
        }
        for other in [
            r"/\evil.example",
            r"\\evil.example",
            r"/\/evil.example",
            "//evil.example/faults",
            "///evil.example",
            "/\t/evil.example",
            "/.//evil.example",
            "/faults/..//evil.example",
            "/%2e//evil.example",
            "http://evil.example/",
            "https://console.invalid/faults",
            "javascript:alert(1)",
            "http://console.invalid:1/",
            "",
        ] {
            assert_eq!(Back::from(other.to_owned()).as_str(), "/", "{other:?}");
        }
    }
}
