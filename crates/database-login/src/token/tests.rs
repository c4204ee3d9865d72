use time::macros::datetime;

use super::*;

const HOST: &str = "payment-db.abc.us-west-2.rds.amazonaws.com";

fn access(user: &str) -> TokenAccess {
    let target = LoginTarget {
        host: Some(HOST.to_owned()),
        ..LoginTarget::default()
    };
    TokenAccess::new(Sdk::default(), &target, user).unwrap()
}

fn token(session: Option<&str>) -> Secret {
    let credentials = Credentials::from_keys(
        "AKIDEXAMPLE",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        session.map(str::to_owned),
    );
    let now = datetime!(2026-11-24 11:00 UTC).into();
    access("ingest+x")
        .token(credentials, &Region::from_static("us-west-2"), now)
        .unwrap()
}

/// The order of the parameters says nothing.
fn sorted(token: &str) -> Vec<&str> {
    let mut parts: Vec<_> = token.split(['?', '&']).collect();
    parts[1..].sort_unstable();
    parts
}

/// The expected texts were made by AWS's own library for Python (botocore, `generate_db_auth_token`).
#[test]
fn a_token_is_the_one_that_awss_own_library_makes() {
    let head = format!(
        "{HOST}:3306/?Action=connect&DBUser=ingest%2Bx&X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIDEXAMPLE%2F20261124%2Fus-west-2%2Frds-db%2Faws4_request\
         &X-Amz-Date=20261124T110000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host"
    );
    let plain = "&X-Amz-Signature=7884ced4932893ec8ab7c1d60100d342b1d949c3de8054de6c30da734f569554";
    assert_eq!(
        sorted(token(None).expose()),
        sorted(&format!("{head}{plain}"))
    );
    let of_a_role = "&X-Amz-Security-Token=IQoJb3JpZ2luX2VjE%2B%2F%3D%3D\
         &X-Amz-Signature=2d8b80d25cc07521a3aa05747d03276c78b9db19b031c047af99352d86795b4d";
    assert_eq!(
        sorted(token(Some("IQoJb3JpZ2luX2VjE+/==")).expose()),
        sorted(&format!("{head}{of_a_role}"))
    );
}

#[test]
fn no_token_is_made_for_a_connection_that_is_not_verified() {
    for host in ["127.0.0.1", "localhost", "::1"] {
        let target = LoginTarget {
            host: Some(host.to_owned()),
            ..LoginTarget::default()
        };
        let error = TokenAccess::new(Sdk::default(), &target, "ingest").unwrap_err();
        assert!(matches!(error, ConfigError::TokenInClear), "{host}");
    }
}
