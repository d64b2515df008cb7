//! Workloads that start programs or use disks.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Write,
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context, Result, ensure};
use khor_e2e::load;

use crate::scenario::Stage;

/// Number of threads that start programs at the same time.
const STORMING: usize = 2;
/// Number of compilers that run at the same time: one more than this machine has CPUs, as is usual
/// for `make`.
const COMPILING: usize = 3;
/// Number of functions in a generated C file. The file takes about 0.3 s to compile.
const FUNCTIONS: usize = 80;

pub(crate) fn exec_storm(stage: &Stage) -> Result<()> {
    at_once(STORMING, |_| {
        while stage.is_running() {
            load::execs(5);
        }
        Ok(())
    })
}

pub(crate) fn disk(stage: &Stage) -> Result<()> {
    let path = stage.dir.join("buffered");
    while stage.is_running() {
        load::direct_io(stage.dir, 32).context("writing past the cache")?;
        let mut file = File::create(&path)?;
        for _ in 0..4 {
            file.write_all(&vec![0x5a; 1 << 20])?;
            file.sync_data()?;
        }
    }
    Ok(fs::remove_file(path)?)
}

pub(crate) fn compile(stage: &Stage) -> Result<()> {
    let source = stage.dir.join("generated.c");
    fs::write(&source, c_source())?;
    at_once(COMPILING, |worker| {
        while stage.is_running() {
            let object = stage.dir.join(format!("{worker}.o"));
            let mut compiler = Command::new("cc");
            compiler.args(["-O1", "-c", "-o"]).args([&object, &source]).stdout(Stdio::null());
            ensure!(
                compiler.status().context("starting cc")?.success(),
                "cc cannot compile the generated C file"
            );
        }
        Ok(())
    })
}

/// Runs `work` in several threads at the same time. Returns an error if the work fails in one of
/// them.
fn at_once(workers: usize, work: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker's thread"))
    })
}

/// The text of a C file with [`FUNCTIONS`] functions.
fn c_source() -> String {
    let mut source = String::from("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n");
    for number in 0..FUNCTIONS {
        let _ = writeln!(
            source,
            "int f{number}(int n, char *s) {{ int a = {number}; for (int i = 0; i < n; i++) {{ a += s[i] * i % 7; \
             if (a & 1) printf(\"%d\", a); else a ^= (int)strlen(s); }} return a; }}"
        );
    }
    source
}
