//! The grants of `deploy-notes/iam/`, and ways to remove one.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::workspace::root;

/// One action that one file allows.
#[derive(Clone, Debug)]
pub struct Grant {
    /// File name without `.json`.
    pub file: String,
    statement: usize,
    pub action: String,
    conditions: Vec<(String, String)>,
}

/// What is removed.
#[derive(Debug)]
pub enum Cut {
    Action,
    /// The first value of a condition, by operator and key, is replaced by one that never matches.
    Condition(String, String),
}

pub fn copy(to: &Path) {
    for (file, json) in files() {
        fs::write(to.join(format!("{file}.json")), json.to_string()).unwrap();
    }
}

/// Returns the grants of every statement that allows something.
pub fn grants() -> Vec<Grant> {
    let mut grants = Vec::new();
    for (file, json) in files() {
        for (at, statement) in json["Statement"].as_array().unwrap().iter().enumerate() {
            if statement["Effect"] != "Allow" {
                continue;
            }
            for action in list(&statement["Action"]) {
                grants.push(Grant {
                    file: file.clone(),
                    statement: at,
                    action: action.as_str().unwrap().to_owned(),
                    conditions: conditions(statement),
                });
            }
        }
    }
    grants
}

/// Returns the grant itself, and each of its conditions.
pub fn cuts(grant: &Grant) -> Vec<Cut> {
    let conditions = grant.conditions.iter().cloned();
    let conditions = conditions.map(|(operator, key)| Cut::Condition(operator, key));
    [Cut::Action].into_iter().chain(conditions).collect()
}

impl Cut {
    pub fn apply(&self, file: &Path, grant: &Grant) {
        let mut json: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let statements = json["Statement"].as_array_mut().unwrap();
        let statement = &mut statements[grant.statement];
        match self {
            Self::Action => {
                let mut left = list(&statement["Action"]);
                left.retain(|action| *action != *grant.action);
                if left.is_empty() {
                    statements.remove(grant.statement);
                } else {
                    statement["Action"] = left.into();
                }
            }
            Self::Condition(operator, key) => {
                let values = &mut statement["Condition"][operator][key];
                let mut list = list(values);
                list[0] = json!("nothing-has-this-value");
                *values = list.into();
            }
        }
        fs::write(file, json.to_string()).unwrap();
    }
}

fn files() -> Vec<(String, Value)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root().join("deploy-notes/iam")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        files.push((name, json));
    }
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    files
}

fn conditions(statement: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
        for key in keys.as_object().unwrap().keys() {
            found.push((operator.clone(), key.clone()));
        }
    }
    found
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.clone(),
        one => vec![one.clone()],
    }
}
