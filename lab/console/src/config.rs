//! Configuration: the console's address, and the lab that it shows.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use server_kit::config::ConfigError;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Loopback address: whoever reaches it can read every payment, and inject faults.
    pub listen: SocketAddr,
    /// Directory of the lab.
    pub lab: PathBuf,
}

impl Config {
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let config: Self = server_kit::config::load(path)?;
        if config.listen.ip().is_loopback() {
            return Ok(config);
        }
        let mistake = format!("listen: {} is not on loopback", config.listen);
        Err(ConfigError::Invalid(vec![mistake]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_others_reach_is_refused() {
        let path = std::env::temp_dir().join(format!("console-{}.json", std::process::id()));
        std::fs::write(&path, r#"{"listen":"0.0.0.0:8088","lab":"/lab"}"#).unwrap();
        let refused = Config::load(&path).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        assert!(refused.contains("not on loopback"), "{refused}");
    }
}
