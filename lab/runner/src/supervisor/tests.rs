//! The supervisor with real processes that are not the lab's own.

use std::{collections::BTreeMap, net::SocketAddr, path::Path};

use nix::sys::signal::Signal;
use tokio::{
    io::AsyncReadExt as _,
    io::AsyncWriteExt as _,
    net::TcpListener,
    time::{Instant, sleep},
};

use super::*;
use crate::{
    health::Health,
    process::{Launch, Output},
};

/// Greets like a MySQL server as long as the test runs: health is not what is tested here.
async fn always_well() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"\x03\0\0\0\x0a5.").await;
            let _ = stream.read(&mut [0; 1]).await;
        }
    });
    address
}

fn part(name: PartName, address: SocketAddr, script: &str) -> Part {
    Part {
        name,
        about: "sh".to_owned(),
        address,
        files: Vec::new(),
        launch: Launch {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: BTreeMap::new(),
            output: Output::File,
        },
        health: Health::MysqlGreeting,
        stop_timeout: Duration::from_secs(5),
    }
}

fn lab_dir(path: &Path) -> LabDir {
    let dir = LabDir::at(path).unwrap();
    dir.create().unwrap();
    dir
}

/// Reads the status from its file, as other processes do, until `wanted` holds.
async fn until(dir: &LabDir, wanted: impl Fn(&Status) -> bool) -> Status {
    let _held = dir.lock().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let status = Status::load(dir).unwrap().unwrap();
        if wanted(&status) {
            return status;
        }
        assert!(Instant::now() < deadline, "last seen: {status:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_killed_part_comes_back_as_another_process() {
    let temp = tempfile::tempdir().unwrap();
    let dir = lab_dir(temp.path());
    let parts = [part(PartName::S3, always_well().await, "exec sleep 60")];
    let mut supervisor = Supervisor::new(dir.clone(), &parts);
    supervisor.start(parts.to_vec()).await.unwrap();

    let first = until(&dir, Status::all_healthy).await.parts[0].identity();
    assert!(first.unwrap().signal(Signal::SIGKILL));
    let again = until(&dir, |status| {
        status.all_healthy() && status.parts[0].identity() != first
    })
    .await;
    assert_eq!(again.parts[0].deaths, 1);

    supervisor.stop().await;
    let second = again.parts[0].identity().unwrap();
    assert!(!second.is_alive());
    let stopped = until(&dir, |status| status.phase == Phase::Stopped).await;
    assert_eq!(stopped.parts[0].state, PartState::Stopped);
}

#[tokio::test]
async fn a_part_that_was_asked_to_end_starts_again_at_once_and_no_death_is_counted() {
    let temp = tempfile::tempdir().unwrap();
    let dir = lab_dir(temp.path());
    let well = always_well().await;
    let parts = [
        part(PartName::S3, well, "exec sleep 60"),
        part(
            PartName::AppA,
            well,
            "trap 'exit 0' TERM; while :; do sleep 0.01; done",
        ),
    ];
    let mut supervisor = Supervisor::new(dir.clone(), &parts);
    supervisor.start(parts.to_vec()).await.unwrap();

    for at in [0, 1] {
        // More restarts than a backoff would allow during the test.
        for _ in 0..10 {
            let before = until(&dir, Status::all_healthy).await.parts[at].identity();
            before.unwrap().signal(Signal::SIGTERM);
            until(&dir, |status| {
                status.all_healthy() && status.parts[at].identity() != before
            })
            .await;
        }
    }
    let status = until(&dir, Status::all_healthy).await;
    assert_eq!((status.parts[0].deaths, status.parts[1].deaths), (0, 0));
    supervisor.stop().await;
}

#[tokio::test]
async fn a_part_that_dies_at_once_fails_the_start_without_waiting_for_the_deadline() {
    let temp = tempfile::tempdir().unwrap();
    let dir = lab_dir(temp.path());
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let parts = [part(PartName::AppA, address, "echo bad config; exit 64")];
    let mut supervisor = Supervisor::new(dir.clone(), &parts);

    let error = supervisor.start(parts.to_vec()).await.unwrap_err();
    assert_eq!(error.to_string(), "app-a died: exit status: 64");
    supervisor.stop().await;
    let log = std::fs::read_to_string(dir.log(PartName::AppA)).unwrap();
    assert!(log.starts_with("bad config\n"));
}

#[tokio::test]
async fn load_balancers_stop_before_the_tiers_and_the_database_last() {
    let temp = tempfile::tempdir().unwrap();
    let dir = lab_dir(temp.path());
    let order = temp.path().join("order");
    let well = always_well().await;
    let names = [
        PartName::Mysql,
        PartName::AppA,
        PartName::WebA,
        PartName::Alb,
    ];
    let parts: Vec<Part> = names
        .iter()
        .map(|name| {
            let file = order.display();
            let script = format!(
                "trap 'echo {name} >> {file}; exit 0' TERM; touch {file}.{name}; \
                 while :; do sleep 0.05; done"
            );
            part(*name, well, &script)
        })
        .collect();
    let mut supervisor = Supervisor::new(dir.clone(), &parts);
    supervisor.start(parts).await.unwrap();
    for name in names {
        // The trap is set once the file exists.
        let ready = temp.path().join(format!("order.{name}"));
        until(&dir, |_| ready.exists()).await;
    }

    supervisor.stop().await;
    let order = std::fs::read_to_string(order).unwrap();
    let order: Vec<&str> = order.lines().collect();
    assert_eq!(order[0], "alb");
    assert_eq!(order[3], "mysql");
    assert_eq!(order.len(), 4);
}
