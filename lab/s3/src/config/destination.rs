//! Validates the destinations of notifications.

use std::sync::Arc;

use server_kit::config::ConfigErrors;

use super::{Config, Credentials, NotificationConfig};
use crate::notify::{Api, Destination};

/// The APIs that the notifications use.
pub struct Apis {
    lambda: Option<Arc<Api>>,
    sqs: Option<Arc<Api>>,
}

impl Apis {
    pub fn check(config: &Config, mistakes: &mut ConfigErrors) -> Self {
        let needed = |is: fn(&NotificationConfig) -> bool| {
            let mut buckets = config.buckets.iter();
            buckets.any(|bucket| bucket.notifications.iter().any(is))
        };
        let mut api = |service, endpoint: &Option<String>, credentials: &Option<Credentials>| {
            let (Some(endpoint), Some(credentials)) = (endpoint, credentials) else {
                mistakes.add(format_args!(
                    "notifications to {service} need {service}_endpoint and {service}_credentials"
                ));
                return None;
            };
            match Api::new(service, endpoint, &config.region, credentials.clone()) {
                Ok(api) => Some(Arc::new(api)),
                Err(error) => {
                    mistakes.add(format_args!("{service}_endpoint {endpoint:?}: {error}"));
                    None
                }
            }
        };
        Self {
            lambda: needed(|rule| rule.function_arn.is_some())
                .then(|| {
                    api(
                        "lambda",
                        &config.lambda_endpoint,
                        &config.lambda_credentials,
                    )
                })
                .flatten(),
            sqs: needed(|rule| rule.queue_arn.is_some())
                .then(|| api("sqs", &config.sqs_endpoint, &config.sqs_credentials))
                .flatten(),
        }
    }

    pub fn destination(
        &self,
        rule: &NotificationConfig,
        mistakes: &mut ConfigErrors,
    ) -> Option<Destination> {
        let id = &rule.id;
        match (&rule.function_arn, &rule.queue_arn) {
            (Some(arn), None) => {
                let function = Destination::function_name(arn);
                mistakes.unless(
                    function.is_some(),
                    format_args!(
                        "notification {id:?}: function_arn {arn:?} is not the ARN of a function"
                    ),
                );
                Some(Destination::Lambda {
                    arn: arn.clone(),
                    function: function?.to_owned(),
                    api: Arc::clone(self.lambda.as_ref()?),
                })
            }
            (None, Some(arn)) => {
                let path = Destination::queue_path(arn);
                mistakes.unless(
                    path.is_some(),
                    format_args!(
                        "notification {id:?}: queue_arn {arn:?} is not the ARN of a standard queue"
                    ),
                );
                let api = Arc::clone(self.sqs.as_ref()?);
                Some(Destination::Sqs {
                    arn: arn.clone(),
                    url: api.url(&path?),
                    api,
                })
            }
            _ => {
                mistakes.add(format_args!(
                    "notification {id:?}: set either function_arn or queue_arn, not both"
                ));
                None
            }
        }
    }
}
