//! Promise P2 from the journal's side: every line of every object is a row, a repeat of a row, a conflict or a reject,
//! and nothing else is recorded.

use std::collections::{HashMap, HashSet};

use payment_core::{LogRecord, PaymentKey, RejectedLine, record};
use payment_store::Outcome;
use verdict::{Content, Judge};

use crate::bucket::{Bucket, Stored};
use crate::database::{REFUSED, Recorded, Row};

/// Returns lines that were left out, and rows that no line accounts for.
pub fn left_out(bucket: &Bucket, recorded: &Recorded) -> Vec<String> {
    let tables = Tables::new(recorded);
    let mut left_out = Vec::new();
    let mut rejects = 0;
    for object in bucket.all() {
        let name = bucket.name(&object.key);
        let lines: Vec<_> =
            record::read_object(&object.key, &object.body, object.stored_at).collect();
        let taken = tables.objects.get(object.key.as_str());
        match taken {
            None if object.key.is_folder() => {}
            None => left_out.push(format!("{name} was never taken")),
            Some(outcome) if usize::try_from(outcome.lines) != Ok(lines.len()) => {
                left_out.push(format!("{name} was taken with other lines than it has"));
            }
            Some(_) => {}
        }
        for (line, read) in lines {
            let is_reject = tables.is_reject(&object, line);
            rejects += usize::from(is_reject);
            if !tables.has(&object, line, &read) {
                left_out.push(format!("line {line} of {name} is not recorded"));
            }
        }
    }
    if rejects != recorded.rejects.len() {
        left_out.push("there are rejects of no line".to_owned());
    }
    left_out
}

/// Hands the rows to the judge.
pub fn judge(recorded: Recorded, judge: &mut Judge) {
    for row in recorded.rows {
        judge.row(as_judged(row));
    }
    for conflict in recorded.conflicts {
        judge.conflict(as_judged(conflict));
    }
}

struct Tables<'r> {
    rows: HashMap<&'r PaymentKey, &'r Row>,
    conflicts: HashMap<(&'r str, u32), &'r Row>,
    rejects: HashSet<(&'r str, u32)>,
    objects: HashMap<&'r str, &'r Outcome>,
}

impl<'r> Tables<'r> {
    fn new(recorded: &'r Recorded) -> Self {
        let payment = |row: &'r Row| (row.record.payment.key(), row);
        let line = |row: &'r Row| ((row.object.key.as_str(), row.line), row);
        let rejects = recorded.rejects.iter();
        Self {
            rows: recorded.rows.iter().map(payment).collect(),
            conflicts: recorded.conflicts.iter().map(line).collect(),
            rejects: rejects
                .map(|(object, line)| (object.key.as_str(), *line))
                .collect(),
            objects: recorded
                .objects
                .iter()
                .map(|(object, (outcome, _))| (object.key.as_str(), outcome))
                .collect(),
        }
    }

    fn is_reject(&self, object: &Stored, line: u32) -> bool {
        self.rejects.contains(&(object.key.as_str(), line))
    }

    fn has(&self, object: &Stored, line: u32, read: &Result<LogRecord, RejectedLine>) -> bool {
        let Ok(record) = read else {
            return self.is_reject(object, line);
        };
        if record.payment.transaction() == Some(REFUSED) {
            return self.is_reject(object, line);
        }
        let is_same = |row: &&&Row| row.record.payment == record.payment;
        let row = self.rows.get(record.payment.key());
        let conflict = self.conflicts.get(&(object.key.as_str(), line));
        row.filter(is_same).or(conflict.filter(is_same)).is_some()
    }
}

fn as_judged(row: Row) -> verdict::Row {
    let payment = &row.record.payment;
    let owned = |text: &str| text.to_owned();
    verdict::Row {
        client: owned(payment.key().client.as_str()),
        id: owned(payment.key().id.as_str()),
        content: Content {
            transaction: payment.transaction().map(owned),
            amount: payment.amount().map(|amount| amount.to_string()),
            currency: payment.currency().map(|currency| owned(currency.code())),
            status: owned(payment.status().as_str()),
            payer_name: payment.payer_name().map(owned),
            extra: row.extra,
        },
        received_at: row.record.received_at.to_string(),
        recorded_ms: Some(row.recorded_ms),
        object_key: row.object.key,
        object_line: row.line,
    }
}
