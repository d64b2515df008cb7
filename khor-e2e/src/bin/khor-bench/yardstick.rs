//! Loads, attaches and detaches the eBPF programs that khor's programs are compared with.

use aya::{
    Btf, Ebpf, EbpfLoader, include_bytes_aligned,
    programs::{BtfTracePoint, tp_btf::BtfTracePointLinkId},
};

/// Names of the eBPF programs in the object file. Each program can be attached to any tracepoint.
const PROGRAMS: [&str; 3] = ["empty", "increment", "increment_percpu"];

/// The eBPF programs for comparison, loaded for one hook.
pub(crate) struct Yardstick {
    /// The tracepoint.
    pub(crate) hook: &'static str,
    programs: Ebpf,
}

/// The links of the attached eBPF programs. [`Yardstick::detach`] needs them.
pub(crate) struct Attached(Vec<(&'static str, BtfTracePointLinkId)>);

impl Yardstick {
    /// Loads all programs for the tracepoint `hook` without attaching them.
    pub(crate) fn load(hook: &'static str) -> anyhow::Result<Self> {
        let btf = Btf::from_sys_fs()?;
        let cpus = aya::util::nr_cpus().map_err(|(what, error)| anyhow::anyhow!("{what}: {error}"))?;
        let mut programs = EbpfLoader::new()
            .btf(Some(&btf))
            .map_max_entries("COUNTS", cpus as u32)
            .load(include_bytes_aligned!("../../../../khor-ebpf/yardstick.bpf.o"))?;
        for name in PROGRAMS {
            program(&mut programs, name)?.load(hook, &btf)?;
        }
        Ok(Self { hook, programs })
    }

    /// The names of the loaded eBPF programs, with the IDs that the kernel has given them.
    pub(crate) fn ids(&mut self) -> anyhow::Result<Vec<(&'static str, u32)>> {
        PROGRAMS.iter().map(|name| Ok((*name, program(&mut self.programs, name)?.info()?.id()))).collect()
    }

    pub(crate) fn attach(&mut self) -> anyhow::Result<Attached> {
        let links = PROGRAMS.iter().map(|name| Ok((*name, program(&mut self.programs, name)?.attach()?)));
        Ok(Attached(links.collect::<anyhow::Result<_>>()?))
    }

    pub(crate) fn detach(&mut self, attached: Attached) -> anyhow::Result<()> {
        for (name, link) in attached.0 {
            program(&mut self.programs, name)?.detach(link)?;
        }
        Ok(())
    }
}

fn program<'a>(programs: &'a mut Ebpf, name: &str) -> anyhow::Result<&'a mut BtfTracePoint> {
    let program = programs
        .program_mut(name)
        .ok_or_else(|| anyhow::anyhow!("the eBPF object file lacks the program {name}"))?;
    Ok(program.try_into()?)
}
