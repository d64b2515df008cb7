// The lanes of the kernel. `cargo xtask api` writes this file from khor-engine/signal; do not edit it.

export const KERNEL_LANES = [
  { name: 'exec', label: 'program starts', family: 'process', grain: 0.5 },
  { name: 'fork', label: 'new tasks', family: 'process', grain: 2 },
  { name: 'rx', label: 'received', family: 'network', grain: 20000 },
  { name: 'tx', label: 'sent', family: 'network', grain: 20000 },
  { name: 'local', label: 'local traffic', family: 'network', grain: 20000 },
  { name: 'retx', label: 'retransmits', family: 'network', grain: 0.3 },
  { name: 'io', label: 'disk traffic', family: 'disk', grain: 100000 },
  { name: 'lat', label: 'disk latency', family: 'disk', grain: 0.001 },
  { name: 'stall', label: 'waiting on disk', family: 'disk', grain: 0.02 },
  { name: 'mem', label: 'memory pressure', family: 'memory', grain: 0.02 },
  { name: 'fault', label: 'page faults', family: 'memory', grain: 500 },
  { name: 'cpu', label: 'waiting on cpu', family: 'kernel', grain: 0.02 },
  { name: 'csw', label: 'switches', family: 'kernel', grain: 500 },
  { name: 'irq', label: 'interrupts', family: 'kernel', grain: 200 },
  { name: 'softirq', label: 'soft interrupts', family: 'kernel', grain: 500 },
] as const;
