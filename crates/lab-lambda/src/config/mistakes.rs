//! Gathers what is wrong, so that all of it is told at once.

use super::ConfigError;

#[derive(Default)]
pub struct Mistakes(Vec<String>);

impl Mistakes {
    pub fn add(&mut self, mistake: String) {
        self.0.push(mistake);
    }

    pub fn unless(&mut self, fine: bool, mistake: &str) {
        if !fine {
            self.add(mistake.into());
        }
    }

    pub fn within(&mut self, name: &str, value: u64, low: u64, high: u64) {
        if !(low..=high).contains(&value) {
            self.add(format!("{name}: {value} is not within {low} to {high}"));
        }
    }

    pub fn into_result(self) -> Result<(), ConfigError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Mistakes(self.0))
        }
    }
}
