//! A copy of the bucket, served by an S3 of its own: what an act did to it is gone with it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use aws_sdk_s3::{Client, types::ServerSideEncryption};
use lab_runner::lab::{BUCKET, Lab};
use lab_s3::{Config, Server};
use serde_json::{Value, json};

pub struct BucketCopy {
    server: Server,
    s3: Client,
    folder: PathBuf,
}

impl BucketCopy {
    /// Copies the objects by links: S3 never writes into a file that is there.
    pub async fn of(lab: &Lab) -> Result<Self> {
        let config = fs::read(lab.dir.config("s3.json")).context("cannot read the lab's S3")?;
        let mut config: Value = serde_json::from_slice(&config)?;
        let root = config["root"].as_str().context("S3 has no root")?;
        let root = Path::new(root).join("buckets");
        let folder = lab.dir.root().join("saboteur");
        let _ = fs::remove_dir_all(&folder);
        link(&root, &folder.join("buckets")).context("cannot copy the bucket")?;
        config["root"] = json!(folder);
        config["listen"] = json!("127.0.0.1:0");
        config["buckets"][0]["notifications"] = json!([]);
        let config: Config = serde_json::from_value(config)?;
        let server = Server::start(config).await?;
        let s3 = lab.s3(&lab.credentials.aws.operator);
        let copy = s3.config().to_builder();
        let copy = copy.endpoint_url(format!("http://{}", server.addr()));
        Ok(Self {
            s3: Client::from_conf(copy.build()),
            server,
            folder,
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.server.addr())
    }

    /// Returns the ETag.
    pub async fn put(&self, key: &str, body: &str) -> Result<String> {
        put(&self.s3, key, body).await
    }

    pub async fn delete(&self, key: &str) -> Result<()> {
        let delete = self.s3.delete_object().bucket(BUCKET).key(key);
        delete.send().await.context("cannot delete an object")?;
        Ok(())
    }

    pub async fn end(self) {
        self.server.shutdown().await;
        let _ = fs::remove_dir_all(self.folder);
    }
}

/// Writes an object; returns its ETag.
pub async fn put(s3: &Client, key: &str, body: &str) -> Result<String> {
    let put = s3.put_object().bucket(BUCKET).key(key);
    let put = put.body(body.as_bytes().to_vec().into());
    let put = put.server_side_encryption(ServerSideEncryption::Aes256);
    let answer = put.send().await.context("cannot write an object")?;
    let etag = answer.e_tag().unwrap_or_default();
    Ok(etag.trim_matches('"').to_owned())
}

fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            link(&entry.path(), &to)?;
        } else {
            fs::hard_link(entry.path(), to)?;
        }
    }
    Ok(())
}
