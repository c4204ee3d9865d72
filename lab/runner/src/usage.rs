//! Resource usage of processes, from `/proc`.

use std::{fs, time::Duration};

use nix::unistd::{Pid, SysconfVar, getpgid, sysconf};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// CPU time since its start, without children that have ended.
    pub cpu: Duration,
    /// Resident memory now, in MiB.
    pub memory_mib: f64,
}

impl Usage {
    /// Returns `None` if there is no such process, or no `/proc`.
    pub fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        Some(Self {
            cpu: cpu(&stat)?,
            memory_mib: memory_mib(&status)?,
        })
    }

    /// Returns the usage of all processes of a group together: a server with its workers.
    pub fn of_group(leader: i32) -> Self {
        group(leader)
            .into_iter()
            .filter_map(Self::of)
            .fold(Self::default(), |sum, one| Self {
                cpu: sum.cpu + one.cpu,
                memory_mib: sum.memory_mib + one.memory_mib,
            })
    }
}

/// Returns the processes of a group.
fn group(leader: i32) -> Vec<i32> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&pid| group_of(pid) == Some(leader)).collect()
}

fn group_of(pid: i32) -> Option<i32> {
    let pid = Pid::from_raw(pid);
    getpgid(Some(pid)).ok().map(Pid::as_raw)
}

/// Returns fields 14 and 15, user and system time in ticks, counted after the command name.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    let per_second = u32::try_from(sysconf(SysconfVar::CLK_TCK).ok()??).ok()?;
    Some(Duration::from_secs(1) * (user + system) / per_second)
}

fn memory_mib(status: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u32 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(f64::from(kib) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_its_time_does_not_go_back() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let before = Usage::of(pid).unwrap();
        assert!(before.memory_mib > 0.5);
        assert!(Usage::of(pid).unwrap().cpu >= before.cpu);
        assert_eq!(Usage::of(-1), None);
    }

    #[test]
    fn a_group_is_its_members_together() {
        let leader = Pid::this();
        let group = getpgid(Some(leader)).unwrap().as_raw();
        let own = Usage::of(leader.as_raw()).unwrap();
        assert!(Usage::of_group(group).memory_mib >= own.memory_mib / 2.0);
        assert_eq!(Usage::of_group(i32::MAX), Usage::default());
    }

    #[test]
    fn ticks_of_user_and_system_are_added() {
        let line = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 777 1 2";
        let per_second = sysconf(SysconfVar::CLK_TCK).unwrap().unwrap();
        let expected = 200.0 / f64::from(u32::try_from(per_second).unwrap());
        assert_eq!(cpu(line).unwrap(), Duration::from_secs_f64(expected));
    }
}
