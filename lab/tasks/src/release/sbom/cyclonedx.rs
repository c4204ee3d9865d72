//! The document format, as defined by <https://cyclonedx.org/docs/1.6/json/>.

use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bom {
    #[serde(rename = "bomFormat")]
    format: &'static str,
    spec_version: &'static str,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Serialize)]
pub struct Metadata {
    pub timestamp: String,
    pub component: Component,
}

#[derive(Debug, Serialize)]
pub struct Component {
    #[serde(rename = "type")]
    pub kind: ComponentKind,
    #[serde(rename = "bom-ref")]
    pub reference: String,
    pub name: String,
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<Licence>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hashes: Vec<Hash>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ComponentKind {
    Application,
    Library,
}

#[derive(Debug, Serialize)]
pub struct Licence {
    expression: String,
}

#[derive(Debug, Serialize)]
pub struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependency {
    #[serde(rename = "ref")]
    pub reference: String,
    pub depends_on: Vec<String>,
}

impl Bom {
    pub fn new(
        metadata: Metadata,
        components: Vec<Component>,
        dependencies: Vec<Dependency>,
    ) -> Self {
        Self {
            format: "CycloneDX",
            spec_version: "1.6",
            version: 1,
            metadata,
            components,
            dependencies,
        }
    }
}

impl Licence {
    /// Parses the member `license` of a manifest; older ones use a slash for OR.
    pub fn of(expression: &str) -> Vec<Self> {
        let words: Vec<_> = expression.split('/').map(str::trim).collect();
        vec![Self {
            expression: words.join(" OR "),
        }]
    }
}

impl Hash {
    pub fn sha256(hex: &str) -> Self {
        Self {
            alg: "SHA-256",
            content: hex.to_owned(),
        }
    }
}
