//! Pages of the notes, and the blocks of commands in them.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
/// Prefix of the reason why a block is not run.
const BY_HAND: &str = "sh by-hand:";

/// A mistake in a page: output that follows no command, or a block of unknown kind.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{page}, line {line}: {fault}")]
pub struct Mistake {
    page: String,
    line: usize,
    fault: &'static str,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    /// Number at the start of the file name, which orders the pages.
    pub number: u8,
    pub name: String,
    pub blocks: Vec<Block>,
}

/// Commands between fences.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Block {
    /// Line number of the opening fence, counted from 1.
    pub line: usize,
    pub script: String,
    pub way: Way,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Way {
    /// Run it; if the page shows output, that must match.
    Run { expected: Option<String> },
    /// Only a person can run it, for this reason.
    ByHand { reason: String },
}

/// Reads all numbered pages of a folder, in order.
pub fn read_all(folder: &Path) -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder).context("cannot read the pages")? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(number) = number(&name) {
            pages.push(Page {
                number,
                blocks: blocks(&name, &fs::read_to_string(&path)?)?,
                name: name.into_owned(),
            });
        }
    }
    pages.sort_by_key(|page| page.number);
    Ok(pages)
}

fn number(name: &str) -> Option<u8> {
    let (number, _) = name.strip_suffix(".md")?.split_once('-')?;
    number.parse().ok()
}

fn blocks(page: &str, text: &str) -> Result<Vec<Block>, Mistake> {
    let mistake = |line, fault| Mistake {
        page: page.to_owned(),
        line,
        fault,
    };
    let mut blocks: Vec<Block> = Vec::new();
    let mut may_show = false;
    let mut lines = (1..).zip(text.lines());
    while let Some((line, fence)) = lines.next() {
        let Some(info) = fence.strip_prefix("```") else {
            continue;
        };
        let mut content = String::new();
        loop {
            match lines.next() {
                None => return Err(mistake(line, "the fence is not closed")),
                Some((_, "```")) => break,
                Some((_, inner)) => content = content + inner + "\n",
            }
        }
        let reason = info.strip_prefix(BY_HAND).map(str::trim);
        let way = match (info, reason) {
            ("sh", _) => Way::Run { expected: None },
            (_, Some(reason)) if !reason.is_empty() => Way::ByHand {
                reason: reason.to_owned(),
            },
            ("text", _) if may_show => {
                if let Some(Way::Run { expected }) = blocks.last_mut().map(|block| &mut block.way) {
                    *expected = Some(content);
                }
                may_show = false;
                continue;
            }
            ("text", _) => return Err(mistake(line, "output follows no command")),
            // A drawing.
            ("mermaid", _) => continue,
            _ => {
                return Err(mistake(
                    line,
                    "a block is sh, sh by-hand: REASON, text, or mermaid",
                ));
            }
        };
        may_show = true;
        blocks.push(Block {
            line,
            script: content,
            way,
        });
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_with_what_they_print_and_others_with_their_reason() {
        let page = "# T\n```sh\necho a\n```\nwords\n```text\na\n```\n\
                    ```sh by-hand: no shell\nssh x\n```\n```text\nhi\n```\n```sh\ntrue\n```\n";
        let blocks = blocks("01-x.md", page).unwrap();
        let expected = [
            (
                2,
                "echo a\n",
                Way::Run {
                    expected: Some("a\n".into()),
                },
            ),
            (
                9,
                "ssh x\n",
                Way::ByHand {
                    reason: "no shell".into(),
                },
            ),
            (15, "true\n", Way::Run { expected: None }),
        ];
        let expected = expected.map(|(line, script, way)| Block {
            line,
            script: script.to_owned(),
            way,
        });
        assert_eq!(blocks, expected);
    }

    #[test]
    fn a_block_that_would_be_passed_over_is_a_mistake() {
        for (page, line) in [
            ("```bash\nls\n```\n", 1),
            ("\n```sh by-hand:\nls\n```\n", 2),
            ("```text\nx\n```\n", 1),
            ("```sh\nls\n```\n```text\nx\n```\n```text\nx\n```\n", 7),
            ("x\n```sh\nls\n", 2),
        ] {
            assert_eq!(blocks("p", page).unwrap_err().line, line, "{page}");
        }
    }
}
