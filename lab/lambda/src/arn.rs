//! The function's ARN.

use std::fmt;

/// The only version.
pub const LATEST: &str = "$LATEST";

/// `arn:aws:lambda:region:account:function:name`.
#[derive(Debug, Clone)]
pub struct FunctionArn {
    region: String,
    account: String,
    name: String,
}

impl FunctionArn {
    pub fn new(region: &str, account: &str, name: &str) -> Self {
        Self {
            region: region.into(),
            account: account.into(),
            name: name.into(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether `text` names this function: by its name, `account:function:name` or the full ARN, each with or without
    /// `:$LATEST`.
    pub fn is_meant_by(&self, text: &str) -> bool {
        let unqualified = text
            .strip_suffix(LATEST)
            .and_then(|rest| rest.strip_suffix(':'));
        let text = unqualified.unwrap_or(text);
        text == self.name
            || text == format!("{}:function:{}", self.account, self.name)
            || text == self.to_string()
    }

    /// Returns the ARN of another function in this region and account; `text` itself if it is already an ARN.
    pub fn of_other(&self, text: &str) -> String {
        if text.starts_with("arn:") {
            return text.into();
        }
        Self {
            name: text.into(),
            ..self.clone()
        }
        .to_string()
    }
}

impl fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "arn:aws:lambda:{}:{}:function:{}",
            self.region, self.account, self.name
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_name_means_the_function_and_no_other_does() {
        let arn = FunctionArn::new("us-west-2", "000000000000", "Alert");
        for text in [
            "Alert",
            "Alert:$LATEST",
            "000000000000:function:Alert",
            "arn:aws:lambda:us-west-2:000000000000:function:Alert",
            "arn:aws:lambda:us-west-2:000000000000:function:Alert:$LATEST",
        ] {
            assert!(arn.is_meant_by(text), "{text}");
        }
        for text in [
            "",
            "alert",
            "Alert:1",
            "Alert$LATEST",
            "111111111111:function:Alert",
            "arn:aws:lambda:eu-west-1:000000000000:function:Alert",
        ] {
            assert!(!arn.is_meant_by(text), "{text}");
        }
    }
}
