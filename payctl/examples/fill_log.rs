//! Fills a log with payments, to measure on: `fill_log PAYMENTS PER_OBJECT`, into `LOG_BUCKET` as the AWS SDK reaches it.
//! Objects of one run, of hours that follow each other, a tenth of the payments without an amount, each with a member of its own.

use std::time::Duration;

use aws_clients::s3::{self, Bounds};
use payment_core::chain::{Node, ObjectHash, Purpose, Run, RunId};
use payment_core::{Draft, LogRecord, ObjectKey, PaymentId, RequestId, Timestamp};
use tokio::task::JoinSet;
use uuid::Uuid;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Objects of one hour.
const HOUR_OBJECTS: u64 = 100;

const PUTS: usize = 8;

const S3_CALL: Bounds = Bounds {
    connect: Duration::from_secs(3),
    attempt: Duration::from_secs(30),
    operation: Duration::from_mins(1),
    attempts: 3,
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let (Some(payments), Some(per_object)) =
        (numbers.next().transpose()?, numbers.next().transpose()?)
    else {
        return Err("usage: fill_log PAYMENTS PER_OBJECT".into());
    };
    let bucket = std::env::var("LOG_BUCKET")?;
    let client = s3::client(S3_CALL).await?;
    let mut run = Run::new(RunId::new(Uuid::now_v7()).ok_or("no run")?, Node::new(0xf1));
    let mut puts = JoinSet::new();
    for object in 0..payments.div_ceil(per_object) {
        while puts.len() >= PUTS
            && let Some(put) = puts.join_next().await
        {
            put??;
        }
        let first = object * per_object;
        let count = per_object.min(payments - first);
        let (client, bucket) = (client.clone(), bucket.clone());
        let (key, body) = batch(&mut run, object, first, count)?;
        puts.spawn(async move {
            let put = client.put_object().bucket(bucket).key(key.as_str());
            put.body(body.into_bytes().into()).send().await?;
            Ok::<_, Failure>(())
        });
    }
    while let Some(put) = puts.join_next().await {
        put??;
    }
    Ok(())
}

fn batch(
    run: &mut Run,
    object: u64,
    first: u64,
    count: u64,
) -> Result<(ObjectKey, String), Failure> {
    let hour = i64::try_from(object / HOUR_OBJECTS)?;
    let at =
        Timestamp::from_unix_millis(1_795_000_000_000 + hour * 3_600_000).ok_or("no such time")?;
    let key = ObjectKey::batch("transactions/", at, Uuid::now_v7(), "000000f1");
    let sealed = run.seal(Purpose::Payments, at);
    let mut body = sealed.header().to_line();
    for number in first..first + count {
        let id = PaymentId::made_from(Uuid::now_v7());
        let amount = if number % 10 == 0 {
            String::new()
        } else {
            format!(r#""amount":"{number}.25","#)
        };
        let sent = format!(
            r#"{{"id":"{id}",{amount}"transaction":"order {number}","payer_name":"Payer {number}","shop":{{"till":{number}}}}}"#
        );
        let payment = Draft::parse(sent.as_bytes())?.identify(None, || id)?;
        body += &LogRecord::new(payment, at, RequestId::from(Uuid::now_v7()), None).to_line();
    }
    let (unique, _) = key.own_batch().ok_or("no key of a batch")?;
    run.confirmed(sealed, unique, ObjectHash::of(body.as_bytes()));
    Ok((key, body))
}
