//! The program's own words about itself.

use std::fs::File;
use std::process::Command;

/// Every command of the program alike: whoever asked for them did not get them.
#[test]
fn p5_words_that_could_not_be_written_are_not_clean() {
    for word in ["--help", "--version"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut payctl = Command::new(env!("CARGO_BIN_EXE_payctl"));
        let status = payctl.arg(word).stdout(full).status().unwrap();
        assert_eq!(status.code(), Some(2), "{word}");
    }
}
